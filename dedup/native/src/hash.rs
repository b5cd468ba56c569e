//! The hash functions under every fingerprint. All are fixed for good: the seeds are digits of
//! pi, and changing one changes `FINGERPRINT_VERSION`.

/// Goes into every manifest; raise it when any hash, table or kernel gives other bits.
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

/// At most 16 bytes of a longer buffer, held in two registers.
#[derive(Clone, Copy)]
pub struct ShortWord {
    low: u64,
    high: u64,
    len: usize,
}

impl ShortWord {
    pub const MAX_LEN: usize = 16;

    /// Take `len` bytes from `start`. 16 bytes must be there; those behind the word are ignored.
    /// A longer word gives its first 16 bytes and `is_special`.
    #[inline(always)]
    pub fn load(bytes: &[u8], start: usize, len: usize) -> Self {
        let window = &bytes[start..start + 16];
        let [keep_low, keep_high] = KEEP[len.min(Self::MAX_LEN)];
        Self {
            low: load(window, 0) & keep_low,
            high: load(window, 8) & keep_high,
            len,
        }
    }

    /// Whether an ASCII-only reading is not the whole story: digits, non-ASCII bytes, or too long.
    ///
    /// Of lower-case letters and digits, only digits lack bit 6.
    #[inline(always)]
    pub fn is_special(self) -> bool {
        let [keep_low, keep_high] = KEEP[self.len.min(Self::MAX_LEN)];
        let beyond_ascii = (self.low | self.high) & 0x8080_8080_8080_8080;
        let digits = ((!self.low & keep_low) | (!self.high & keep_high)) & 0x4040_4040_4040_4040;
        (beyond_ascii | digits) != 0 || self.len > Self::MAX_LEN
    }

    #[inline(always)]
    pub fn has_high_byte(self) -> bool {
        (self.low | self.high) & 0x8080_8080_8080_8080 != 0
    }

    /// The same word with every digit read as 0. Only for ASCII letters and digits.
    #[inline(always)]
    pub fn zero_digits(self) -> Self {
        let digits = |word: u64| (!word & 0x4040_4040_4040_4040) >> 6;
        // A digit is 0x30 to 0x39: clearing the lower half of the byte leaves 0x30.
        let zero = |word: u64| word & !(digits(word) * 0x0f);
        Self {
            low: zero(self.low),
            high: zero(self.high),
            len: self.len,
        }
    }

    #[inline(always)]
    pub fn hash(self) -> u64 {
        let high = self.high.rotate_left(32) ^ SEEDS[1] ^ self.len as u64;
        fold_multiply(self.low ^ SEEDS[0], high)
    }
}

/// Masks for the first `len` bytes of two words.
const KEEP: [[u64; 2]; 17] = {
    let mut keep = [[0; 2]; 17];
    let mut len = 1;
    while len <= 16 {
        keep[len] = if len <= 8 {
            [u64::MAX >> (64 - 8 * len), 0]
        } else {
            [u64::MAX, u64::MAX >> (128 - 8 * len)]
        };
        len += 1;
    }
    keep
};

#[inline(always)]
fn load(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

/// Hash a slice: for up to 16 bytes the same value as `ShortWord::hash`.
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    if bytes.len() > ShortWord::MAX_LEN {
        return xxhash_rust::xxh3::xxh3_64(bytes);
    }
    let mut padded = [0; 32];
    padded[..bytes.len()].copy_from_slice(bytes);
    ShortWord::load(&padded, 0, bytes.len()).hash()
}

/// The identity of a sequence of tokens: 128 bits, so that 10^10 paragraphs do not collide.
pub fn hash_tokens(tokens: &[u64], scratch: &mut Vec<u8>) -> u128 {
    scratch.resize(tokens.len() * 8, 0);
    let (bytes, _) = scratch.as_chunks_mut::<8>();
    for (bytes, token) in bytes.iter_mut().zip(tokens) {
        *bytes = token.to_le_bytes();
    }
    xxhash_rust::xxh3::xxh3_128(scratch)
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
