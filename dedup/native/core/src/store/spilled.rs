//! Rows spilled to the spool: many are found in one order and needed in another.
//!
//! They are grouped into shelves, each for a range of the numbers they belong to, such as those of
//! paragraphs, and read back a few shelves at a time.

use std::marker::PhantomData;
use std::ops::Range;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::checkpoint::{restore, save};
use super::spool::{Extent, Spool};
use crate::error::Error;

/// Numbers of one shelf: with a few rows each they are some megabytes.
const SHELF: u32 = 1 << 16;

#[derive(Serialize, Deserialize)]
pub struct SpilledRows<T> {
    /// Where the rows of each shelf are.
    shelves: Vec<Vec<Extent>>,
    rows: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> SpilledRows<T> {
    /// No rows yet, for numbers below `end`.
    pub fn new(end: usize) -> Self {
        Self {
            shelves: vec![Vec::new(); end.div_ceil(SHELF as usize)],
            rows: PhantomData,
        }
    }

    /// Save rows, which may belong to any `number`.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn add(
        &mut self,
        spool: &Spool,
        mut rows: Vec<T>,
        number: impl Fn(&T) -> u32,
    ) -> Result<(), Error> {
        let shelf = |row: &T| number(row) / SHELF;
        rows.sort_by_key(shelf);
        for alike in rows.chunk_by(|a, b| shelf(a) == shelf(b)) {
            self.shelves[shelf(&alike[0]) as usize].push(save(alike, spool)?);
        }
        Ok(())
    }

    /// The rows of the shelves on which a range of numbers is, in no order.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn read(&self, spool: &Spool, numbers: Range<u32>) -> Result<Vec<T>, Error> {
        let shelves = numbers.start / SHELF..numbers.end.div_ceil(SHELF);
        let mut rows = Vec::new();
        for extent in self.shelves[shelves.start as usize..shelves.end as usize]
            .iter()
            .flatten()
        {
            rows.extend(restore::<Vec<T>>(*extent, spool)?);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_what_they_belong_to() {
        let spool = Spool::temporary(&std::env::temp_dir()).unwrap();
        let mut rows = SpilledRows::new(3 * SHELF as usize);
        let number = |row: &(u32, char)| row.0;
        let some = vec![(2 * SHELF, 'c'), (0, 'a')];
        rows.add(&spool, some, number).unwrap();
        rows.add(&spool, vec![(SHELF - 1, 'b')], number).unwrap();
        let read = |numbers| rows.read(&spool, numbers).unwrap();
        assert_eq!(read(0..1), [(0, 'a'), (SHELF - 1, 'b')]);
        assert_eq!(read(SHELF..2 * SHELF), []);
        assert_eq!(read(0..3 * SHELF).len(), 3);
    }
}
