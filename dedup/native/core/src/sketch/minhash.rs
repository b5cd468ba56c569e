//! Features to signatures: classic k-mins `MinHash` in 16-bit lanes, and signatures to band keys.
//!
//! Function i is `a[i] * x + b[i] mod 2^16` with odd `a[i]`, where x is one of four 16-bit slices
//! of the feature's 64-bit hash. Sixteen bits make an accidental match of a lane likely only
//! beyond some thousand features; candidates are verified anyway (Broder 1997; Li and König 2010
//! on few bits a lane).

use crate::text::{SEEDS, fold_multiply};
use crate::util::{Kernel, dispatch};

/// Lanes of one register's worth of hash functions.
const LANES: usize = 32;

/// The seeded hash functions of a signature, and how its lanes become band keys.
pub struct Bands {
    multipliers: Vec<[u16; LANES]>,
    addends: Vec<[u16; LANES]>,
    bands: usize,
    rows: usize,
    seed: u64,
}

impl Bands {
    /// `stream` chooses the seed: sets of bands with different streams have nothing in common.
    pub fn new(stream: u64, bands: usize, rows: usize) -> Self {
        let groups = (bands * rows).div_ceil(LANES);
        let seed = fold_multiply(SEEDS[2] ^ stream, SEEDS[3]);
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(SEEDS[0]);
            fold_multiply(state, SEEDS[1]) as u16
        };
        let mut draw = |odd: u16| -> Vec<[u16; LANES]> {
            (0..groups)
                .map(|_| std::array::from_fn(|_| next() | odd))
                .collect()
        };
        Self {
            multipliers: draw(1),
            addends: draw(0),
            bands,
            rows,
            seed,
        }
    }

    /// Add one key per band to `keys`: feature sets whose signatures agree in a whole band have an
    /// equal key. Two sets of Jaccard similarity s do so with probability
    /// 1 - (1 - s^rows)^bands (Leskovec et al., Mining of Massive Datasets, 3.4.2).
    pub fn keys(&self, features: &[u64], signature: &mut Vec<u16>, keys: &mut Vec<u64>) {
        self.sign(features, signature);
        for (band, lanes) in signature
            .chunks_exact(self.rows)
            .take(self.bands)
            .enumerate()
        {
            let mut key = self.seed ^ band as u64;
            for quad in lanes.chunks(4) {
                let packed = quad
                    .iter()
                    .fold(0, |word, lane| (word << 16) | u64::from(*lane));
                key = fold_multiply(key ^ packed, SEEDS[1]).wrapping_add(SEEDS[2]);
            }
            keys.push(fold_multiply(key, SEEDS[0]));
        }
    }

    /// The smallest value of every hash function over `features`, padded to whole registers.
    pub fn sign(&self, features: &[u64], signature: &mut Vec<u16>) {
        signature.clear();
        signature.resize(self.multipliers.len() * LANES, u16::MAX);
        dispatch(Sign {
            bands: self,
            features,
            signature,
        });
    }
}

struct Sign<'a> {
    bands: &'a Bands,
    features: &'a [u64],
    signature: &'a mut [u16],
}

impl Kernel for Sign<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let groups = self.bands.multipliers.iter().zip(&self.bands.addends);
        let (minima, _) = self.signature.as_chunks_mut::<LANES>();
        for (i, ((a, b), minimum)) in groups.zip(minima).enumerate() {
            *minimum = minima_of(self.features, (i % 4) * 16, a, b);
        }
    }
}

#[inline(always)]
fn minima_of(features: &[u64], shift: usize, a: &[u16; LANES], b: &[u16; LANES]) -> [u16; LANES] {
    let mut minimum = [u16::MAX; LANES];
    for feature in features {
        let x = (feature >> shift) as u16;
        for lane in 0..LANES {
            let hash = a[lane].wrapping_mul(x).wrapping_add(b[lane]);
            minimum[lane] = minimum[lane].min(hash);
        }
    }
    minimum
}
