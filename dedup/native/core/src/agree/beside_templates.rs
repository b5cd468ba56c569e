//! Whether two texts agree in more than what templates fix in both.

use super::lcs::{LcsPattern, common_length};
use super::rule::{Agreement, Rule};
use crate::corpus::{Formula, MIN_EVIDENCE_TOKENS};

/// One of two texts.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub tokens: &'a [u64],
    pub formulas: &'a [Formula],
}

/// Whether two texts that agree still do without the words that templates fix in both.
pub fn agree_otherwise(
    left: Side<'_>,
    right: Side<'_>,
    rule: Rule,
    pattern: &mut LcsPattern,
) -> bool {
    if left.formulas.is_empty() || right.formulas.is_empty() {
        return true;
    }
    let l = rest(left.tokens, left.formulas);
    let r = rest(right.tokens, right.formulas);
    let agreement = Agreement {
        shared: common_length(&l, &r, pattern),
        left: l.len() as u32,
        right: r.len() as u32,
    };
    agreement.shared >= MIN_EVIDENCE_TOKENS && rule.holds(agreement)
}

/// The tokens of a text that no template fixes.
fn rest(tokens: &[u64], formulas: &[Formula]) -> Vec<u64> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    for formula in formulas {
        let [start, end] = formula.tokens.map(|token| token as usize);
        kept.extend_from_slice(&tokens[at..start]);
        at = end;
    }
    kept.extend_from_slice(&tokens[at..]);
    kept
}
