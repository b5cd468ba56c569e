//! Words that were not written for the article: templates and boilerplate.

pub mod boilerplate;
mod set_aside;
pub mod templates;
mod versions;

pub use set_aside::set_templates_aside;
pub(crate) use versions::Versions;
