//! Words nobody wrote for this article: templates and boilerplate.

mod set_aside;
pub mod boilerplate;
pub mod templates;

pub use set_aside::set_templates_aside;
pub(crate) use set_aside::{Families, Side, agree_otherwise};
