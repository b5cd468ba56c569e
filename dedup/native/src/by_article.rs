//! Rows about articles, kept in the spool: many are found in one order and wanted in another.
//!
//! They are put on shelves, each for a range of articles, and read back a few shelves at a time.

use std::marker::PhantomData;
use std::ops::Range;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{restore, save};
use crate::error::Error;
use crate::spool::{Extent, Spool};

/// Articles of one shelf. Some ten paragraphs an article make a few megabytes.
pub const SHELF: u32 = 1 << 14;

#[derive(Serialize, Deserialize)]
pub struct ByArticle<T> {
    /// Where the rows of each shelf stand.
    shelves: Vec<Vec<Extent>>,
    rows: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> ByArticle<T> {
    /// Room for the rows of so many articles.
    pub fn new(articles: usize) -> Self {
        Self {
            shelves: vec![Vec::new(); articles.div_ceil(SHELF as usize)],
            rows: PhantomData,
        }
    }

    /// Keep rows, which may belong to any articles.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn add(
        &mut self,
        spool: &Spool,
        mut rows: Vec<T>,
        article: impl Fn(&T) -> u32,
    ) -> Result<(), Error> {
        let shelf = |row: &T| article(row) / SHELF;
        rows.sort_by_cached_key(shelf); // to find an article takes a search
        for alike in rows.chunk_by(|a, b| shelf(a) == shelf(b)) {
            self.shelves[shelf(&alike[0]) as usize].push(save(alike, spool)?);
        }
        Ok(())
    }

    /// The rows of the shelves on which a range of articles is, in no order.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn read(&self, spool: &Spool, articles: Range<u32>) -> Result<Vec<T>, Error> {
        let shelves = articles.start / SHELF..articles.end.div_ceil(SHELF);
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
    fn rows_are_found_by_the_articles_they_belong_to() {
        let spool = Spool::temporary(&std::env::temp_dir()).unwrap();
        let mut rows = ByArticle::new(3 * SHELF as usize);
        let of = |row: &(u32, char)| row.0;
        rows.add(&spool, vec![(2 * SHELF, 'c'), (0, 'a')], of)
            .unwrap();
        rows.add(&spool, vec![(SHELF - 1, 'b')], of).unwrap();
        let read = |articles| rows.read(&spool, articles).unwrap();
        assert_eq!(read(0..1), [(0, 'a'), (SHELF - 1, 'b')]);
        assert_eq!(read(SHELF..2 * SHELF), []);
        assert_eq!(read(0..3 * SHELF).len(), 3);
    }
}
