//! An LSTM's recurrence for inference: product and gates of a step in one pass, pre-activations in registers throughout.
//!
//! A group of rows as high as the register tile runs through all its steps before the next group begins, so that its state
//! stays in the first-level cache, and the rows of a table that a step reads are fetched while earlier ones compute. The
//! gates' functions share their divisions, so that values differ from the training's in their last bits.

use super::steps::{Projected, Steps};
use crate::simd::gemm::{Mat, PackedB};
use crate::simd::math::{lstm_cell, lstm_outputs};
use crate::simd::{Buf, Isa, Kernel, Lanes, call, dispatch, fma, isa, load, prefetch, store};

/// Gates of an LSTM: i, f, g, o.
pub(super) const GATES: usize = 4;

/// How many steps ahead rows of the input are fetched.
pub(super) const AHEAD: usize = 2;

/// Bytes of weights for each row of a group that are as good as in the first-level cache.
const NEAR_BYTES: usize = 22 << 10;

/// An LSTM's weights so that neighbouring panels make all gates of some units: for as many units as a vector has lanes, their
/// columns of i, f, g and o, one after the other.
#[derive(Clone, Default)]
pub(crate) struct GatePanels {
    hh: PackedB,
    ih: PackedB,
    bias: Buf,
}

impl GatePanels {
    /// Packs `w_hh`, `[4 hp, rp]` row-major.
    pub fn pack(&mut self, w_hh: &[f32], hp: usize, rp: usize) {
        by_unit(&mut self.hh, w_hh, hp, rp);
    }

    /// Packs the input's side too, for [`Projected::Input`]: `w_ih`, `[4 hp, kp]`, and what its product begins with.
    pub fn pack_input(&mut self, w_ih: &[f32], bias: &[f32], hp: usize, kp: usize) {
        by_unit(&mut self.ih, w_ih, hp, kp);
        self.bias.grow(GATES * hp);
        dispatch(ByUnit { from: bias, hp, width: 1, to: &mut self.bias });
    }

    /// Whether they were packed.
    pub fn exist(&self) -> bool {
        self.hh.n > 0
    }

    /// Whether a group of few rows runs through all steps before the next ([`Infer`]). Each then reads all weights at every step,
    /// which takes longer than it saves where they are not in the first-level cache, or nearly so; there all rows of a step go
    /// through the weights together ([`InferWide`](super::infer_wide::InferWide)).
    pub fn fit_groups(&self, rows: usize) -> bool {
        let group = if isa() == Isa::Avx512 { 6 } else { 3 };
        rows <= group || self.hh.n * self.hh.k * 4 <= group * NEAR_BYTES
    }

    pub(super) fn hh(&self) -> &PackedB {
        &self.hh
    }

    pub(super) fn input(&self) -> (&PackedB, *const f32) {
        (&self.ih, self.bias.as_ptr())
    }
}

fn by_unit(packed: &mut PackedB, from: &[f32], hp: usize, width: usize) {
    let mut rows = Buf::scratch(GATES * hp * width);
    dispatch(ByUnit { from, hp, width, to: &mut rows });
    packed.resize(width, GATES * hp);
    packed.pack_transposed(&rows, width);
}

/// Rows of `width` values, gate by gate, into the order of [`GatePanels`].
struct ByUnit<'a> {
    from: &'a [f32],
    hp: usize,
    width: usize,
    to: &'a mut [f32],
}

impl Kernel for ByUnit<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, _: S) {
        let Self { from, hp, width, to } = self;
        for (at, to) in to.chunks_exact_mut(width).enumerate() {
            let (block, column) = (at / (GATES * S::L), at % (GATES * S::L));
            let row = column / S::L * hp + block * S::L + column % S::L;
            to.copy_from_slice(&from[row * width..][..width]);
        }
    }
}

/// Forward over time without anything kept for a backward pass. The states must be set before; they end as the final ones.
/// The layer has no projection of its state, and its packs have [`GatePanels`].
pub(crate) struct Infer<'a>(pub Steps<'a>, pub Projected);

/// Rows of a group: as many as the accumulators of four gates leave registers for.
const fn group<S: Lanes>() -> usize {
    S::MR * S::NV / GATES
}

impl Kernel for Infer<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let rows = self.0.rows.clone();
        for start in rows.clone().step_by(group::<S>()) {
            // SAFETY: by the promise of `Steps`.
            unsafe { self.group(s, start, rows.end.min(start + group::<S>())) };
        }
    }
}

impl Infer<'_> {
    #[inline(always)]
    unsafe fn group<S: Lanes>(&self, s: S, start: usize, end: usize) {
        let Self(steps, x) = self;
        let (p, hp, layout) = (steps.mats, steps.hp, steps.layout);
        let (lengths, offsets) = (&layout.lengths()[start..end], layout.offsets());
        let longest = lengths[0] as usize;
        // SAFETY: by the promise of `Steps`: the buffers have these rows; without `keep` nothing else uses the gates' rows,
        // which are wider than a state and hold its other copy: a step reads one and writes the other.
        unsafe {
            let states = [p.h.at(start, 0), Mat { ptr: p.gates.row(start), stride: hp }];
            std::ptr::copy_nonoverlapping(states[0].ptr, states[1].ptr, lengths.len() * hp);
            let mut running = if steps.reverse { 0 } else { lengths.len() };
            for i in 0..longest {
                let t = if steps.reverse { longest - 1 - i } else { i };
                if steps.reverse {
                    while running < lengths.len() && lengths[running] as usize > t {
                        running += 1;
                    }
                } else {
                    while lengths[running - 1] as usize <= t {
                        running -= 1;
                    }
                }
                let position = offsets[t] + start;
                let later = if steps.reverse { t.wrapping_sub(AHEAD) } else { t + AHEAD };
                let ahead = (later < longest).then(|| offsets[later] + start);
                let step = Step {
                    x: *x,
                    position,
                    ahead: ahead.map_or(position, |ahead| ahead),
                    fetched: ahead.map_or(0, |_| (layout.batch_sizes()[later] as usize).saturating_sub(start)),
                    w: steps.packs.gates.hh().panel(0).0,
                    hp,
                    from: states[i % 2],
                    to: states[(i + 1) % 2],
                    c: p.c.at(start, 0),
                    y: if p.y.exists() { p.y.at(position, 0) } else { Mat::none() },
                };
                match running {
                    1 => call(s, Rows::<1>(step)),
                    2 => call(s, Rows::<2>(step)),
                    3 => call(s, Rows::<3>(step)),
                    4 => call(s, Rows::<4>(step)),
                    5 => call(s, Rows::<5>(step)),
                    _ => call(s, Rows::<6>(step)),
                }
            }
            for (row, &length) in lengths.iter().enumerate() {
                let last = if steps.reverse { longest } else { length as usize };
                if last % 2 == 1 {
                    std::ptr::copy_nonoverlapping(states[1].row(row), states[0].row(row), hp);
                }
            }
        }
    }
}

/// One step of a group; every matrix begins at its first row.
struct Step {
    x: Projected,
    position: usize,
    /// Where the input of a later step is, and how many rows it has.
    ahead: usize,
    fetched: usize,
    w: *const f32,
    hp: usize,
    from: Mat,
    to: Mat,
    c: Mat,
    y: Mat,
}

/// The recurrent part of the pre-activations of a vector of units, gate by gate.
///
/// # Safety
/// `from` must have `M` rows of `height` values, and `panel` be the first one of the units.
#[inline(always)]
unsafe fn product<S: Lanes, const M: usize>(
    s: S,
    from: Mat,
    height: usize,
    panel: *const f32,
) -> [[S::f32s; GATES]; M] {
    let mut sums = [[s.splat_f32s(0.0); GATES]; M];
    let width = S::NV * S::L;
    for k in 0..height {
        // SAFETY: by the caller's promise.
        unsafe {
            let line = panel.add(k * width);
            let columns: [S::f32s; GATES] =
                std::array::from_fn(|gate| load(s, line.add(gate / S::NV * width * height + gate % S::NV * S::L)));
            for (row, sums) in sums.iter_mut().enumerate() {
                let h = s.splat_f32s(*from.row(row).add(k));
                for (sum, &column) in sums.iter_mut().zip(&columns) {
                    *sum = fma(s, h, column, *sum);
                }
            }
        }
    }
    sums
}

struct Rows<const M: usize>(Step);

impl<const M: usize> Kernel for Rows<M> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let p = self.0;
        let hp = p.hp;
        // SAFETY: the rows are inside the matrices, and `hp` is a multiple of the lanes.
        unsafe {
            let x: [*const f32; M] = std::array::from_fn(|row| p.x.row(p.position + row));
            let next: [*const f32; M] = std::array::from_fn(|row| match p.x {
                Projected::Table(..) if row < p.fetched => p.x.row(p.ahead + row),
                _ => std::ptr::null(),
            });
            for j in (0..hp).step_by(S::L) {
                let sums = product::<S, M>(s, p.from, hp, p.w.add(j * GATES * hp));
                let mut cells = [(s.splat_f32s(0.0), s.splat_f32s(0.0)); M];
                for row in 0..M {
                    if !next[row].is_null() {
                        for gate in 0..GATES {
                            prefetch(next[row].add(gate * hp + j));
                        }
                    }
                    let gates =
                        std::array::from_fn(|gate| s.add_f32s(sums[row][gate], load(s, x[row].add(gate * hp + j))));
                    let c = p.c.row(row).add(j);
                    cells[row] = lstm_cell(s, gates, load(s, c));
                    store(s, c, cells[row].0);
                }
                for (row, h) in lstm_outputs(s, cells).into_iter().enumerate() {
                    store(s, p.to.row(row).add(j), h);
                    if p.y.exists() {
                        store(s, p.y.row(row).add(j), h);
                    }
                }
            }
        }
    }
}
