//! What the loop over time goes through: one layer, one direction and a run of rows.
//!
//! Rows of a batch never meet in the recurrence, so a team splits them; each member's rows are contiguous within every
//! step of the packed layout. The reverse direction only walks the steps the other way: a sequence then joins at its
//! last token, with its initial state still untouched in the state buffer.

use std::ops::Range;

use super::packs::DirPacks;
use crate::simd::gemm::{Init, Mat};
use recurra_core::layout::PackedLayout;

/// Marks the number of a row of the second of two tables.
pub(crate) const KEPT: u32 = 1 << 31;

/// Where the input's part of the pre-activations is.
#[derive(Clone, Copy)]
pub(crate) enum Projected {
    /// A row for each packed position.
    Packed(Mat),
    /// A table of rows and, for each packed position, the number of its row.
    Table(Mat, *const u32),
    /// Two tables, and for each packed position the number of its row, with [`KEPT`] where it is in the second. For inference by
    /// separate kernels.
    Tables([Mat; 2], *const u32),
    /// Nowhere yet: the input itself. Only inference that goes through all units of a step can do with it.
    Input(Mat),
}

// SAFETY: only addresses; see Mat.
unsafe impl Send for Projected {}
// SAFETY: as above.
unsafe impl Sync for Projected {}

impl Projected {
    /// # Safety
    /// `position` must be inside.
    #[inline(always)]
    pub unsafe fn init(self, position: usize) -> Init {
        // SAFETY: by the caller's promise.
        unsafe {
            match self {
                Self::Packed(mat) => Init::Of(mat.at(position, 0)),
                Self::Table(mat, index) => Init::Rows(mat, index.add(position)),
                Self::Tables(..) | Self::Input(_) => unreachable!("an input of inference's own kernels"),
            }
        }
    }

    /// # Safety
    /// `position` must be inside.
    #[inline(always)]
    pub unsafe fn row(self, position: usize) -> *const f32 {
        // SAFETY: by the caller's promise.
        unsafe {
            match self {
                Self::Packed(mat) => mat.row(position),
                Self::Table(mat, index) => mat.row(*index.add(position) as usize),
                Self::Tables([made, kept], index) => {
                    let number = *index.add(position);
                    let mat = if number & KEPT == 0 { made } else { kept };
                    mat.row((number & !KEPT) as usize)
                }
                Self::Input(_) => unreachable!("an input that was not projected"),
            }
        }
    }
}

/// The buffers of one layer and direction. Without `keep` nothing is written for the backward pass: `gates` and
/// `hfull` then have a row for each sequence instead of each position, and the other saved ones do not exist.
#[derive(Clone, Copy)]
pub(crate) struct DirMats {
    pub keep: bool,
    // Saved for the backward pass, one row for each packed position.
    pub gates: Mat,
    pub hprev: Mat,
    pub cprev: Mat,
    /// What the cell saves in addition to the gates.
    pub saved: Mat,
    pub hfull: Mat,
    // States, one row for each sequence.
    pub h: Mat,
    pub c: Mat,
    /// The recurrent product, where it is kept apart.
    pub recurrent: Mat,
    // Gradients.
    pub dg: Mat,
    pub dgh: Mat,
    pub dhr: Mat,
    pub dh: Mat,
    pub dc: Mat,
    pub dhfull: Mat,
    /// Outputs and their gradients; the first column is this direction's.
    pub y: Mat,
    pub dy: Mat,
}

impl DirMats {
    /// No buffer at all, to be filled in.
    pub const NONE: Self = Self {
        keep: false,
        gates: Mat::none(),
        hprev: Mat::none(),
        cprev: Mat::none(),
        saved: Mat::none(),
        hfull: Mat::none(),
        h: Mat::none(),
        c: Mat::none(),
        recurrent: Mat::none(),
        dg: Mat::none(),
        dgh: Mat::none(),
        dhr: Mat::none(),
        dh: Mat::none(),
        dc: Mat::none(),
        dhfull: Mat::none(),
        y: Mat::none(),
        dy: Mat::none(),
    };
}

/// What one thread goes through at once.
///
/// # Safety
/// The matrices must have the sizes of `layout` and the padded sizes given here, and no other thread may use these rows.
pub(crate) struct Steps<'a> {
    pub hp: usize,
    pub rp: usize,
    pub layout: &'a PackedLayout,
    pub reverse: bool,
    pub rows: Range<usize>,
    pub packs: &'a DirPacks,
    pub mats: DirMats,
    pub aside: Option<Aside<'a>>,
}

/// What to do besides, before each time step on the way back; gets the step's place and how many there are. That is when a
/// thread computes with what is in its cache, and the memory is free.
pub(crate) type Aside<'a> = &'a (dyn Fn(usize, usize) + Sync);

impl Steps<'_> {
    /// First packed position of this part of a step, and how many rows run.
    #[inline(always)]
    pub fn at(&self, t: usize) -> (usize, usize) {
        let running = self.layout.batch_sizes()[t] as usize;
        (self.layout.offsets()[t] + self.rows.start, running.min(self.rows.end).saturating_sub(self.rows.start))
    }

    /// The time of the step that comes at place `i`.
    #[inline(always)]
    pub fn step(&self, i: usize, reverse: bool) -> usize {
        if reverse { self.layout.steps() - 1 - i } else { i }
    }
}
