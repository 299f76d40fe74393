//! The loop over time for one layer, one direction and a run of rows, forward and backward.
//!
//! Rows of a batch never meet in the recurrence, so a team splits them; each member's rows are contiguous within every
//! step of the packed layout. The reverse direction only walks the steps the other way: a sequence then joins at its
//! last token, with its initial state still untouched in the state buffer.

use std::ops::Range;

use super::shape::DirPacks;
use super::{gates, gates_back};
use crate::simd::gemm::{Gemm, Init, Mat};
use crate::simd::{Kernel, Lanes, call};
use recurra_core::Cell;
use recurra_core::layout::PackedLayout;

/// Where the input's part of the pre-activations is.
#[derive(Clone, Copy)]
pub(crate) enum Projected {
    /// A row for each packed position.
    Packed(Mat),
    /// A table of rows and, for each packed position, the number of its row.
    Table(Mat, *const u32),
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
    unsafe fn init(self, position: usize) -> Init {
        // SAFETY: by the caller's promise.
        unsafe {
            match self {
                Self::Packed(mat) => Init::Of(mat.at(position, 0)),
                Self::Table(mat, index) => Init::Rows(mat, index.add(position)),
                Self::Input(_) => unreachable!("an input that was not projected"),
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
    pub tanhc: Mat,
    pub hn: Mat,
    pub hfull: Mat,
    // States, one row for each sequence.
    pub h: Mat,
    pub c: Mat,
    pub hid: Mat,
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
        tanhc: Mat::none(),
        hn: Mat::none(),
        hfull: Mat::none(),
        h: Mat::none(),
        c: Mat::none(),
        hid: Mat::none(),
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

/// The loop over time; [`Forward`] and [`Backward`] say which.
///
/// # Safety
/// The matrices must have the sizes of `layout` and the padded sizes given here, and no other thread may use these rows.
pub(crate) struct Steps<'a> {
    pub cell: Cell,
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

#[inline(always)]
unsafe fn copy_block(m: usize, from: Mat, to: Mat) {
    // SAFETY: by the promise of `Steps`: both have m rows of the same stride.
    unsafe { std::ptr::copy_nonoverlapping(from.ptr, to.ptr, m * from.stride) }
}

#[inline(always)]
unsafe fn copy_rows(m: usize, width: usize, from: Mat, to: Mat) {
    for row in 0..m {
        // SAFETY: as in `copy_block`.
        unsafe { std::ptr::copy_nonoverlapping(from.row(row), to.row(row), width) }
    }
}

/// Forward over time. The states must be set before; they end as the final ones.
pub(crate) struct Forward<'a>(pub Steps<'a>, pub Projected);

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let Self(steps, x) = self;
        let (p, b0, hp) = (steps.mats, steps.rows.start, steps.hp);
        for i in 0..steps.layout.steps() {
            let (position, m) = steps.at(steps.step(i, steps.reverse));
            if m == 0 {
                continue;
            }
            // SAFETY: by the promise of `Steps`.
            unsafe {
                let save = |mat: Mat| if p.keep { mat.at(position, 0) } else { Mat::none() };
                let own = |mat: Mat| if p.keep { mat.at(position, 0) } else { mat.at(b0, 0) };
                let (g, h) = (own(p.gates), p.h.at(b0, 0));
                if p.keep {
                    copy_block(m, h, p.hprev.at(position, 0));
                }
                match steps.cell {
                    Cell::Gru => {
                        let hid = p.hid.at(b0, 0);
                        let init = Init::Bias(steps.packs.bias_h.as_ptr());
                        call(s, Gemm { a: h, m, b: &steps.packs.hh_t, c: hid, init });
                        gates::gru(
                            s,
                            m,
                            hp,
                            |row| x.row(position + row),
                            &gates::Gru { hid, gates: g, hn: save(p.hn), h },
                        );
                    }
                    Cell::Lstm => {
                        call(s, Gemm { a: h, m, b: &steps.packs.hh_t, c: g, init: x.init(position) });
                        let c = p.c.at(b0, 0);
                        if p.keep {
                            copy_block(m, c, p.cprev.at(position, 0));
                        }
                        if p.hfull.exists() {
                            let full = own(p.hfull);
                            gates::lstm(s, m, hp, g, c, save(p.tanhc), full);
                            call(s, Gemm { a: full, m, b: &steps.packs.hr_t, c: h, init: Init::Zero });
                        } else {
                            gates::lstm(s, m, hp, g, c, save(p.tanhc), h);
                        }
                    }
                    Cell::RnnTanh | Cell::RnnRelu => {
                        call(s, Gemm { a: h, m, b: &steps.packs.hh_t, c: g, init: x.init(position) });
                        gates::rnn(s, m, hp, steps.cell == Cell::RnnRelu, g, h);
                    }
                }
                if p.y.exists() {
                    copy_rows(m, steps.rp, h, p.y.at(position, 0));
                }
            }
        }
    }
}

/// Backward over time. `dh` and `dc` must hold the gradients of the final states; they end as those of the initial ones.
pub(crate) struct Backward<'a>(pub Steps<'a>);

impl Kernel for Backward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let steps = self.0;
        let (p, b0, hp) = (steps.mats, steps.rows.start, steps.hp);
        for i in 0..steps.layout.steps() {
            if let Some(aside) = steps.aside {
                aside(i, steps.layout.steps());
            }
            let (position, m) = steps.at(steps.step(i, !steps.reverse));
            if m == 0 {
                continue;
            }
            // SAFETY: by the promise of `Steps`.
            unsafe {
                let at = |mat: Mat| if mat.exists() { mat.at(position, 0) } else { mat };
                let (g, dg, dh, dy) = (at(p.gates), at(p.dg), p.dh.at(b0, 0), at(p.dy));
                let mut init = Init::Zero;
                let mut through = dg;
                match steps.cell {
                    Cell::Gru => {
                        through = at(p.dgh);
                        let pass =
                            gates_back::Gru { gates: g, hprev: at(p.hprev), hn: at(p.hn), dh, dy, dg, dgh: through };
                        gates_back::gru(s, m, hp, &pass);
                        init = Init::Of(dh);
                    }
                    Cell::Lstm => {
                        let (mut dh, mut dy) = (dh, dy);
                        if p.dhr.exists() {
                            let (sum, full) = (at(p.dhr), p.dhfull.at(b0, 0));
                            gates_back::add(s, m, steps.rp, dh, dy, sum);
                            call(s, Gemm { a: sum, m, b: &steps.packs.hr, c: full, init: Init::Zero });
                            (dh, dy) = (full, Mat::none());
                        }
                        let (cprev, tanhc, dc) = (at(p.cprev), at(p.tanhc), p.dc.at(b0, 0));
                        gates_back::lstm(s, m, hp, &gates_back::Lstm { gates: g, cprev, tanhc, dh, dy, dc, dg });
                    }
                    Cell::RnnTanh | Cell::RnnRelu => {
                        let relu = steps.cell == Cell::RnnRelu;
                        gates_back::rnn(s, m, hp, &gates_back::Rnn { relu, gates: g, dh, dy, dg });
                    }
                }
                call(s, Gemm { a: through, m, b: &steps.packs.hh, c: dh, init });
            }
        }
    }
}
