//! Where the states of one step of a few rows are, and what they are computed from.

use crate::recurrent::packs::DirPacks;
use crate::recurrent::steps::Projected;
use crate::simd::gemm::Mat;

/// The codes of states, row by row.
#[derive(Clone, Copy)]
pub(super) struct Codes {
    pub ptr: *mut u8,
    /// Bytes from one row to the next.
    pub stride: usize,
}

impl Codes {
    /// No codes, of a product of singles.
    pub const NONE: Self = Self { ptr: std::ptr::null_mut(), stride: 0 };

    /// Where the code of a unit is, for codes of some bytes.
    #[inline(always)]
    pub fn at(self, row: usize, unit: usize, bytes: usize) -> *mut u8 {
        self.ptr.wrapping_add(row * self.stride + unit * bytes)
    }

    /// The codes from a row on.
    #[inline(always)]
    pub fn below(self, row: usize) -> Self {
        Self { ptr: self.at(row, 0, 0), stride: self.stride }
    }
}

/// How many steps ahead rows of the input are fetched.
pub(super) const AHEAD: usize = 2;

/// One step; every matrix begins at the first row.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub packs: &'a DirPacks,
    pub x: Projected,
    pub position: usize,
    /// Where the input of a later step is, and how many rows it has.
    pub ahead: usize,
    pub fetched: usize,
    /// Padded size of the state.
    pub hp: usize,
    pub from: Mat,
    pub to: Mat,
    /// The codes of the states in `from`, and those in `to`, for a product that reads them.
    pub codes: [Codes; 2],
    pub c: Mat,
    pub y: Mat,
}
