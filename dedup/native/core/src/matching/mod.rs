//! Similar paragraphs: proposed by buckets, decided by alignment, joined to clusters.

mod buckets;
mod candidate;
mod clusters;
pub mod exact_join;
mod families;
mod verified;
mod verify;

pub use buckets::{find_candidates, join_candidates};
pub(crate) use candidate::Candidate;
pub use candidate::Candidates;
pub use clusters::{Clusters, Groups, Member, Summary, sum_up};
pub(crate) use clusters::{Membership, Stars, cluster};
pub(crate) use verified::SharedRun;
pub use verified::{Pair, Verified};
pub use verify::Verifier;
