//! When two texts are near-copies: the definition, without input or output.

mod allowance;
mod beside_templates;
mod lcs;
mod rule;
mod shared_runs;

pub(crate) use allowance::{Allowance, allowance, effort};
pub(crate) use beside_templates::{Side, agree_otherwise};
pub use lcs::{LcsPattern, align};
pub(crate) use lcs::{common_length, measure, takes_long};
pub use rule::{Agreement, Rule};
pub use shared_runs::{SharedScratch, find_shared_runs};
