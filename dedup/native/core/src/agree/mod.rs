//! When two texts are alike: the definition, without input or output.

mod lcs;

pub use lcs::{Agreement, Pattern, Rule, align};
pub(crate) use lcs::{Allowance, allowance, common_length, effort, measure, takes_long};
