//! The hash functions under every fingerprint. All are fixed permanently: the seeds are digits of
//! pi, and changing one changes `FINGERPRINT_VERSION`.

/// Recorded in every manifest; increase it when any hash, table or kernel gives different bits.
pub const FINGERPRINT_VERSION: u32 = 1;

pub const SEEDS: [u64; 4] = [
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7344,
    0xa409_3822_299f_31d0,
    0x082e_fa98_ec4e_6c89,
];

/// Multiply to 128 bits and fold the halves (the mixing step of wyhash and its descendants).
#[inline(always)]
pub fn fold_multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Mix two hashes into one that depends on their order.
#[inline(always)]
pub fn combine(a: u64, b: u64) -> u64 {
    let x = a.wrapping_add(b.rotate_left(21)).wrapping_mul(SEEDS[0] | 1);
    x ^ (x >> 29)
}

/// At most 16 bytes of a longer buffer, held in registers.
#[derive(Clone, Copy)]
pub struct ShortWord {
    bytes: u128,
    len: usize,
}

impl ShortWord {
    pub const MAX_LEN: usize = 16;

    /// Take `len` bytes from `start`. 16 bytes must be there, or else the word is empty; those
    /// after the word are ignored. A longer word gives its first 16 bytes and `is_special`.
    #[inline(always)]
    pub fn load(bytes: &[u8], start: usize, len: usize) -> Self {
        let window = bytes.get(start..).and_then(|rest| rest.first_chunk::<16>());
        let window = window.map_or(0, |window| u128::from_le_bytes(*window));
        Self {
            bytes: window & KEEP[len.min(Self::MAX_LEN)],
            len,
        }
    }

    /// Whether this is not the whole word: it has bytes beyond ASCII, or too many bytes.
    #[inline(always)]
    pub fn is_special(self) -> bool {
        let halves = (self.bytes as u64) | ((self.bytes >> 64) as u64);
        halves & 0x8080_8080_8080_8080 != 0 || self.len > Self::MAX_LEN
    }

    #[inline(always)]
    pub fn hash(self) -> u64 {
        let (low, high) = (self.bytes as u64, (self.bytes >> 64) as u64);
        let high = high.rotate_left(32) ^ SEEDS[1] ^ self.len as u64;
        fold_multiply(low ^ SEEDS[0], high)
    }
}

/// Masks for the first `len` bytes.
const KEEP: [u128; 17] = {
    let mut keep = [0; 17];
    let mut len = 1;
    while len <= 16 {
        keep[len] = u128::MAX >> (128 - 8 * len);
        len += 1;
    }
    keep
};

/// Hash a slice: for up to 16 bytes the same value as `ShortWord::hash`.
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    if bytes.len() > ShortWord::MAX_LEN {
        return xxhash_rust::xxh3::xxh3_64(bytes);
    }
    let mut padded = [0; 32];
    padded[..bytes.len()].copy_from_slice(bytes);
    ShortWord::load(&padded, 0, bytes.len()).hash()
}

/// Tokens that are hashed at once: an article may have millions.
const TOKENS_AT_ONCE: usize = 1 << 12;

/// The identity of a sequence of tokens: 128 bits, so that 10^10 paragraphs do not collide.
pub fn hash_tokens(tokens: &[u64], scratch: &mut Vec<u8>) -> u128 {
    if tokens.len() <= TOKENS_AT_ONCE {
        lay_out(tokens, scratch);
        return xxhash_rust::xxh3::xxh3_128(scratch);
    }
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    for part in tokens.chunks(TOKENS_AT_ONCE) {
        lay_out(part, scratch);
        hasher.update(scratch);
    }
    hasher.digest128()
}

fn lay_out(tokens: &[u64], bytes: &mut Vec<u8>) {
    bytes.resize(tokens.len() * 8, 0);
    let (bytes, _) = bytes.as_chunks_mut::<8>();
    for (bytes, token) in bytes.iter_mut().zip(tokens) {
        *bytes = token.to_le_bytes();
    }
}

/// For tables whose keys are hashes already.
#[derive(Default)]
pub struct Identity(u64);

impl std::hash::Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes
            .iter()
            .fold(self.0, |hash, byte| (hash << 8) | u64::from(*byte));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sequence_has_the_identity_of_its_bytes() {
        for len in [
            0,
            1,
            TOKENS_AT_ONCE,
            TOKENS_AT_ONCE + 1,
            3 * TOKENS_AT_ONCE + 5,
        ] {
            let tokens: Vec<u64> = (0..len as u64).map(|i| i.wrapping_mul(SEEDS[0])).collect();
            let bytes: Vec<u8> = tokens.iter().flat_map(|t| t.to_le_bytes()).collect();
            let whole = xxhash_rust::xxh3::xxh3_128(&bytes);
            assert_eq!(hash_tokens(&tokens, &mut Vec::new()), whole, "{len} tokens");
        }
    }
}
