//! Saves what a step found in the spool, so that it need not stay in memory and an interrupted scan
//! need not find it again.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::spool::{Extent, Spool};
use crate::error::Error;

/// Save a value.
///
/// # Errors
/// The disk is full or fails.
pub fn save<T: Serialize + ?Sized>(value: &T, spool: &Spool) -> Result<Extent, Error> {
    let bytes = postcard::to_stdvec(value).map_err(|_| spool.changed())?;
    spool.append(&[&bytes])
}

/// Restore a value.
///
/// # Errors
/// The spool does not hold what was written.
pub fn restore<T: DeserializeOwned>(extent: Extent, spool: &Spool) -> Result<T, Error> {
    let bytes = spool.restore(extent)?;
    postcard::from_bytes(&bytes).map_err(|_| spool.changed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were() {
        let spool = Spool::temporary(&std::env::temp_dir()).unwrap();
        let pairs = vec![(0, 1), (0, 7), (3, u32::MAX - 1)];
        let extent = save(&pairs, &spool).unwrap();
        assert_eq!(restore::<Vec<(u32, u32)>>(extent, &spool).unwrap(), pairs);
    }

    #[test]
    fn what_was_changed_behind_our_back_is_refused() {
        let spool = Spool::temporary(&std::env::temp_dir()).unwrap();
        let extent = spool.append(&[b"twelve bytes"]).unwrap();
        assert_eq!(spool.restore(extent).unwrap(), b"twelve bytes");
        let check = extent.check ^ 1;
        assert!(spool.restore(Extent { check, ..extent }).is_err());
        for (at, len) in [(1, extent.len), (0, u64::MAX), (u64::MAX, 1)] {
            assert!(spool.restore(Extent { at, len, ..extent }).is_err());
        }
    }
}
