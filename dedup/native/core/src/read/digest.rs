//! The fingerprint of a whole file, by which a later run knows that an input has not changed.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::error::Error;
use crate::util::stop;

const BLOCK_BYTES: usize = 1 << 20;

/// The XXH3-128 hash of a file's bytes as 32 hexadecimal digits.
///
/// # Errors
/// `Read` if the file cannot be opened or read to its end.
pub fn digest_file(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = Xxh3::new();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        stop::check();
        match file.read(&mut block) {
            Ok(0) => return Ok(format!("{:032x}", hasher.digest128())),
            Ok(read) => hasher.update(&block[..read]),
            Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
            Err(err) => return Err(failed(err)),
        }
    }
}

/// The XXH3-128 hash of bytes that come in parts.
#[derive(Default)]
pub struct Hasher(Xxh3);

impl Hasher {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all parts so far, as 32 hexadecimal digits.
    pub fn digest(&self) -> String {
        format!("{:032x}", self.0.digest128())
    }
}

/// How many values repeat an earlier one.
pub fn count_repeated<'a>(values: impl Iterator<Item = &'a str>) -> usize {
    let mut hashes: Vec<[u64; 2]> = values
        .map(|value| xxh3_128(value.as_bytes()))
        .map(|hash| [(hash >> 64) as u64, hash as u64])
        .collect();
    hashes.sort_unstable();
    hashes.windows(2).filter(|pair| pair[0] == pair[1]).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn values_that_stood_before_are_counted() {
        assert_eq!(count_repeated(["a", "b", "a", "", "a", ""].into_iter()), 3);
        assert_eq!(count_repeated(std::iter::empty()), 0);
    }

    #[test]
    fn a_file_longer_than_a_block_has_the_digest_of_its_bytes() {
        let bytes: Vec<u8> = (0..251).cycle().take(BLOCK_BYTES + 17).collect();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let expected = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&bytes));
        assert_eq!(digest_file(file.path()).unwrap(), expected);
    }

    #[test]
    fn a_missing_file_is_named() {
        let message = digest_file(Path::new("/no/such/file"))
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("cannot read /no/such/file: "),
            "{message}"
        );
    }
}
