//! Packed partitions: rows of (key, paragraph) as bytes, radix-partitioned by key.
//!
//! The same bytes are a run in memory, a block of a spill file and a value in a shuffle. A row is
//! 8 bytes: 40 bits of key above 24 bits of paragraph, counted within its batch. The 8 highest
//! bits of the key number the partition. Among 10^9 paragraphs 40 bits leave one accidental
//! candidate to some ten paragraphs, and every candidate is verified.

use crate::error::Error;

pub const PARTITIONS: usize = 256;
const PARAGRAPH_BITS: u32 = 24;
/// Paragraphs of one batch that rows can name.
pub const MAX_PARAGRAPHS: u32 = 1 << PARAGRAPH_BITS;
pub const ROW_BYTES: usize = 8;

/// Rows in the order they came, and room to pack them in.
#[derive(Default)]
pub struct KeyRows {
    rows: Vec<u64>,
    packed: Vec<[u8; ROW_BYTES]>,
}

impl KeyRows {
    /// Add a row. A key keeps its 40 highest bits.
    #[inline(always)]
    pub fn push(&mut self, key: u64, paragraph: u32) {
        self.rows
            .push((key & !u64::from(MAX_PARAGRAPHS - 1)) | u64::from(paragraph));
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// Pack the rows partition by partition.
    ///
    /// # Errors
    /// More paragraphs in the batch than a row can name.
    pub fn pack(&mut self, paragraphs: usize) -> Result<Packed<'_>, Error> {
        if paragraphs > MAX_PARAGRAPHS as usize {
            return Err(Error::TooManyParagraphs {
                paragraphs,
                limit: MAX_PARAGRAPHS,
            });
        }
        self.packed.resize(self.rows.len(), [0; ROW_BYTES]);
        let partition = |row: &u64| (row >> (64 - PARTITIONS.trailing_zeros())) as usize;
        let packed = &mut self.packed;
        let ends = place_by_partition(&self.rows, partition, |row, _, place| {
            packed[place] = row.to_le_bytes();
        });
        Ok(Packed {
            bytes: self.packed.as_flattened(),
            ends,
        })
    }
}

/// Give each item, with its number, its place among those of all partitions, one partition after
/// another; return where each partition ends.
fn place_by_partition<T>(
    items: &[T],
    partition: impl Fn(&T) -> usize,
    mut put: impl FnMut(&T, usize, usize),
) -> Vec<u32> {
    let mut ends = vec![0u32; PARTITIONS];
    for item in items {
        ends[partition(item)] += 1;
    }
    let mut total = 0;
    for end in &mut ends {
        total += std::mem::replace(end, total);
    }
    // `ends` now holds starts, which become the ends while the items are placed.
    for (number, item) in items.iter().enumerate() {
        let next = &mut ends[partition(item)];
        put(item, number, *next as usize);
        *next += 1;
    }
    ends
}

/// Bytes of an identity, and of its number in its batch.
pub const IDENTITY_BYTES: usize = 16 + 4;

/// Identities with their numbers, by the 8 highest bits of the identity; and where each partition
/// ends, counted in identities.
pub fn pack_identities(identities: &[u128]) -> (Vec<[u8; IDENTITY_BYTES]>, Vec<u32>) {
    let mut packed = vec![[0; IDENTITY_BYTES]; identities.len()];
    let partition = |identity: &u128| (identity >> (128 - PARTITIONS.trailing_zeros())) as usize;
    let ends = place_by_partition(identities, partition, |identity, number, place| {
        packed[place][..16].copy_from_slice(&identity.to_le_bytes());
        packed[place][16..].copy_from_slice(&(number as u32).to_le_bytes());
    });
    (packed, ends)
}

/// (identity, number in its batch) of each one in packed bytes.
pub fn unpack_identities(bytes: &[u8]) -> impl Iterator<Item = (u128, u32)> {
    let (packed, _) = bytes.as_chunks::<IDENTITY_BYTES>();
    packed.iter().map(|packed| {
        let (mut identity, mut number) = ([0; 16], [0; 4]);
        identity.copy_from_slice(&packed[..16]);
        number.copy_from_slice(&packed[16..]);
        (u128::from_le_bytes(identity), u32::from_le_bytes(number))
    })
}

/// Packed rows and, for each partition, where it ends, counted in rows.
pub struct Packed<'a> {
    pub bytes: &'a [u8],
    pub ends: Vec<u32>,
}

/// Byte range of one partition in packed rows, given where each partition ends.
pub fn range_of(ends: &[u32], partition: usize) -> std::ops::Range<usize> {
    let start = if partition == 0 {
        0
    } else {
        ends[partition - 1]
    };
    start as usize * ROW_BYTES..ends[partition] as usize * ROW_BYTES
}

/// (key, paragraph of its batch) of each row of packed bytes.
pub fn unpack(bytes: &[u8]) -> impl Iterator<Item = (u64, u32)> {
    let (rows, _) = bytes.as_chunks::<ROW_BYTES>();
    rows.iter().map(|row| {
        let row = u64::from_le_bytes(*row);
        (row >> PARAGRAPH_BITS, (row as u32) & (MAX_PARAGRAPHS - 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_no_more_paragraphs_than_rows_can_name() {
        let mut rows = KeyRows::default();
        assert!(rows.pack(MAX_PARAGRAPHS as usize).is_ok());
        assert!(rows.pack(MAX_PARAGRAPHS as usize + 1).is_err());
    }

    #[test]
    fn packed_identities_come_back_by_partition_with_their_numbers() {
        let identities: Vec<u128> = (0..1000).map(|i| (u128::MAX / 7).wrapping_mul(i)).collect();
        let (packed, ends) = pack_identities(&identities);
        assert_eq!(ends.last(), Some(&1000));
        let found: Vec<(u128, u32)> = unpack_identities(packed.as_flattened()).collect();
        assert!(found.is_sorted_by_key(|(identity, _)| identity >> 120));
        for (place, (identity, number)) in found.into_iter().enumerate() {
            assert_eq!(identity, identities[number as usize]);
            let end = ends[(identity >> 120) as usize] as usize;
            assert!(place < end);
        }
    }
}
