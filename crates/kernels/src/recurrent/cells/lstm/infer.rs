//! An LSTM's recurrence for inference: product and gates of a step in one pass, pre-activations in registers throughout.
//!
//! A group of rows as high as the register tile runs through all its steps before the next group begins, so that its state
//! stays in the first-level cache, and the rows of a table that a step reads are fetched while earlier ones compute. The
//! gates' functions share their divisions, so that values differ from the training's in their last bits.

use crate::recurrent::steps::{Projected, Steps};
use crate::simd::gemm::Mat;
use crate::simd::math::{lstm_cell, lstm_outputs};
use crate::simd::{Kernel, Lanes, call, fma, load, prefetch, store};

/// Gates of an LSTM: i, f, g, o.
pub(super) const GATES: usize = 4;

/// How many steps ahead rows of the input are fetched.
pub(super) const AHEAD: usize = 2;

/// Forward over time without anything kept for a backward pass. The states must be set before; they end as the final ones.
/// The layer has no projection of its state, and its weights are packed by unit.
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
                    w: steps.packs.units.hh().panel(0).0,
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
