//! The class of each code point: one table look-up per code point, built by `build.rs`.

include!(concat!(env!("OUT_DIR"), "/unicode_table.rs"));

/// The table's word for one code point.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodePoint(u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Separator,
    /// Letters and numbers of scripts that put spaces between words.
    Word,
    /// Han and Kana: each code point is a token, and counts as half a word.
    HalfWord,
    /// Thai, Lao, Khmer, Myanmar: each code point is a token, and counts as a quarter of a word.
    QuarterWord,
    /// Soft hyphens, joiners, variation selectors, byte order marks: as if they were not there.
    Ignorable,
    /// Combining marks: they belong to the token before them.
    Mark,
}

#[inline(always)]
pub fn look_up(c: char) -> CodePoint {
    let code = c as usize;
    let block = INDEX[code >> 7] as usize;
    CodePoint(ENTRIES[block * 128 + (code & 127)])
}

/// The folded UTF-8 of each code point that takes two bytes, if it is a plain letter and takes two
/// bytes folded as well; 0 if not. Latin beyond ASCII, Greek, Cyrillic, Hebrew and Arabic.
static TWO_BYTES: [[u8; 2]; 0x800] = {
    let mut table = [[0; 2]; 0x800];
    let mut code = 0x80;
    while code < 0x800 {
        let entry = CodePoint(ENTRIES[INDEX[code >> 7] as usize * 128 + (code & 127)]);
        let folded = (code as u32).wrapping_add_signed(entry.delta());
        if entry.is_plain_letter() && folded >= 0x80 && folded < 0x800 {
            table[code] = [0xc0 | (folded >> 6) as u8, 0x80 | (folded & 0x3f) as u8];
        }
        code += 1;
    }
    table
};

/// The folded form of a plain letter of two bytes.
#[inline(always)]
pub fn fold_two_bytes(first: u8, second: u8) -> Option<[u8; 2]> {
    if !(0xc0..0xe0).contains(&first) {
        return None;
    }
    let folded = TWO_BYTES[usize::from(first & 0x1f) << 6 | usize::from(second & 0x3f)];
    (folded[0] != 0).then_some(folded)
}

impl CodePoint {
    #[inline(always)]
    pub fn class(self) -> Class {
        match self.0 & 7 {
            1 => Class::Word,
            2 => Class::HalfWord,
            3 => Class::QuarterWord,
            4 => Class::Ignorable,
            5 => Class::Mark,
            _ => Class::Separator,
        }
    }

    /// A letter of a spaced script that folds on its own: the most frequent class.
    #[inline(always)]
    pub const fn is_plain_letter(self) -> bool {
        self.0 & 0x7f == 1
    }

    /// The normal form needs its neighbours, or is several code points: take the slow path.
    #[inline(always)]
    pub fn is_complex(self) -> bool {
        self.0 & (1 << 3) != 0
    }

    /// Two of these in a row may be in another order than the canonical one.
    #[inline(always)]
    pub fn is_reorderable(self) -> bool {
        self.0 & (1 << 5) != 0
    }

    #[inline(always)]
    pub fn ends_sentence(self) -> bool {
        self.0 & (1 << 6) != 0
    }

    /// NFKC and case folded, where that is one code point; otherwise itself.
    #[inline(always)]
    pub fn folded(self, c: char) -> char {
        char::from_u32((c as u32).wrapping_add_signed(self.delta())).unwrap_or(c)
    }

    /// The folded code point minus this one.
    #[inline(always)]
    const fn delta(self) -> i32 {
        (self.0 as i32) >> 10
    }
}
