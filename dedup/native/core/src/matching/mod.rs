//! Similar paragraphs: proposed by buckets, decided by alignment, joined to clusters.

mod buckets;
mod clusters;
pub mod exact_join;
mod families;
mod verify;

pub(crate) use buckets::Candidate;
pub use buckets::{Candidates, find_candidates, join_candidates};
pub use clusters::{Clusters, Groups, Member, Summary, sum_up};
pub(crate) use clusters::{Membership, Stars, cluster};
pub(crate) use verify::SharedRun;
pub use verify::{Pair, Verified, Verifier};
