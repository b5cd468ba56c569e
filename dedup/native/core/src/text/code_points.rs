//! Places in bytes to places in code points.

/// Bytes to code points, for questions in any order.
pub struct CodePoints<'a> {
    bytes: &'a [u8],
    /// Code points before every `STRIDE`th byte; empty for ASCII, where bytes are code points.
    counts: Vec<u32>,
}

impl<'a> CodePoints<'a> {
    const STRIDE: usize = 256;

    pub fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut counts = Vec::new();
        if !text.is_ascii() {
            let mut total = 0;
            counts.extend(bytes.chunks(Self::STRIDE).map(|chunk| {
                let before = total;
                total += count_code_points(chunk);
                before
            }));
        }
        Self { bytes, counts }
    }

    /// Code points before this byte.
    pub fn at(&self, byte: u32) -> u32 {
        let block = (byte as usize / Self::STRIDE).min(self.counts.len().saturating_sub(1));
        let passed = block * Self::STRIDE..byte as usize;
        self.counts.get(block).map_or(byte, |before| {
            before + count_code_points(&self.bytes[passed])
        })
    }
}

fn count_code_points(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| (**byte as i8) >= -0x40).count() as u32
}
