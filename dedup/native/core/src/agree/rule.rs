//! The rule: how many words two texts must have in common to be near-copies.

use serde::{Deserialize, Serialize};

/// How similar two texts are, as counts of tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Agreement {
    pub shared: u32,
    pub left: u32,
    pub right: u32,
}

impl Agreement {
    /// Token-LCS Dice, 0 to 1: twice the shared tokens over all tokens.
    pub fn similarity(self) -> f64 {
        ratio(
            2 * u64::from(self.shared),
            u64::from(self.left) + u64::from(self.right),
        )
    }

    /// Share of the shorter text's tokens that the longer one holds in order.
    pub fn containment(self) -> f64 {
        ratio(u64::from(self.shared), u64::from(self.left.min(self.right)))
    }

    /// Jaccard of the aligned tokens: shared over the union, counted with multiplicity.
    pub fn jaccard(self) -> f64 {
        let union = u64::from(self.left) + u64::from(self.right) - u64::from(self.shared);
        ratio(u64::from(self.shared), union)
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// When two texts count as near-copies.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub threshold: f64,
    pub containment: f64,
    pub min_shared: u32,
}

impl Rule {
    pub fn holds(self, agreement: Agreement) -> bool {
        agreement.similarity() >= self.threshold
            || (agreement.shared >= self.min_shared && agreement.containment() >= self.containment)
    }

    /// Whether texts of these lengths can be near-copies at all.
    pub fn possible(self, left: u32, right: u32) -> bool {
        self.holds(Agreement {
            shared: left.min(right),
            left,
            right,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containment_needs_enough_shared_words() {
        let rule = Rule {
            threshold: 0.8,
            containment: 0.9,
            min_shared: 12,
        };
        assert!(!rule.holds(Agreement {
            shared: 11,
            left: 11,
            right: 80
        }));
        assert!(rule.holds(Agreement {
            shared: 12,
            left: 12,
            right: 80
        }));
        assert!(rule.holds(Agreement {
            shared: 4,
            left: 5,
            right: 5
        }));
    }
}
