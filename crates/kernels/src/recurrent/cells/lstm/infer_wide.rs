//! An LSTM's recurrence for inference where its weights are larger than the first-level cache: at each step all rows go through
//! the weights of some units, from the products to the states, before the next units.
//!
//! So the weights are read once a step, and the pre-activations of these units stay in the first-level cache.

use super::infer::{AHEAD, GATES};
use crate::recurrent::steps::{Projected, Steps};
use crate::simd::gemm::{Init, Mat, Panel};
use crate::simd::math::{lstm_cell, lstm_outputs};
use crate::simd::{Kernel, Lanes, call, load, prefetch, store};

/// As [`Infer`](super::infer::Infer), also with an input that is not yet projected; the hidden size is at least 32.
pub(crate) struct InferWide<'a>(pub Steps<'a>, pub Projected);

impl Kernel for InferWide<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let Self(steps, x) = self;
        let (p, hp, layout, start) = (steps.mats, steps.hp, steps.layout, steps.rows.start);
        let rows = steps.rows.len();
        debug_assert!(GATES * S::L <= (GATES - 1) * hp, "the sums fit next to a state");
        // SAFETY: by the promise of `Steps`: the buffers have these rows; without `keep` nothing else uses the gates' rows. They
        // are four times as wide as a state, and hold its other copy (a step reads one and writes the other) and the sums.
        unsafe {
            let states = [p.h.at(start, 0), Mat { ptr: p.gates.row(start), stride: hp }];
            let sums = Mat { ptr: states[1].row(rows), stride: GATES * S::L };
            std::ptr::copy_nonoverlapping(states[0].ptr, states[1].ptr, rows * hp);
            let mut turn = 0;
            for i in 0..layout.steps() {
                let (position, m) = steps.at(steps.step(i, steps.reverse));
                if m == 0 {
                    continue;
                }
                let later = (i + AHEAD < layout.steps()).then(|| steps.at(steps.step(i + AHEAD, steps.reverse)));
                let (ahead, fetched) = later.unwrap_or((position, 0));
                let y = if p.y.exists() { p.y.at(position, 0) } else { Mat::none() };
                let (from, to) = (states[turn % 2], states[(turn + 1) % 2]);
                let cells =
                    Cells { x, position, ahead, fetched, sums, hp, to, c: p.c.at(start, 0), y, unit: 0, row: 0 };
                for unit in (0..hp).step_by(S::L) {
                    for part in (0..GATES).step_by(S::NV) {
                        let column = unit * GATES + part * S::L;
                        let c = sums.at(0, part * S::L);
                        let mut init = Init::Zero;
                        if let Projected::Input(x) = x {
                            let (b, bias) = steps.packs.units.input();
                            let init_x = Init::Bias(bias.add(column));
                            call(s, Panel { a: x.at(position, 0), m, b, start: column, c, init: init_x });
                            init = Init::Of(c);
                        }
                        call(s, Panel { a: from, m, b: steps.packs.units.hh(), start: column, c, init });
                    }
                    let mut row = 0;
                    while row + SIDE <= m {
                        call(s, States::<SIDE>(Cells { unit, row, ..cells }));
                        row += SIDE;
                    }
                    while row < m {
                        call(s, States::<1>(Cells { unit, row, ..cells }));
                        row += 1;
                    }
                }
                turn += 1;
            }
            for (row, &length) in layout.lengths()[start..start + rows].iter().enumerate() {
                let last = if steps.reverse { turn } else { length as usize };
                if last % 2 == 1 {
                    std::ptr::copy_nonoverlapping(states[1].row(row), states[0].row(row), hp);
                }
            }
        }
    }
}

/// Rows whose states are computed side by side.
const SIDE: usize = 2;

/// From the sums of some units to their states; every matrix begins at the first row of the step.
#[derive(Clone, Copy)]
struct Cells {
    x: Projected,
    position: usize,
    /// Where the input of a later step is, and how many rows it has.
    ahead: usize,
    fetched: usize,
    sums: Mat,
    hp: usize,
    to: Mat,
    c: Mat,
    y: Mat,
    unit: usize,
    row: usize,
}

struct States<const M: usize>(Cells);

impl<const M: usize> Kernel for States<M> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, s: S) {
        let Cells { x, position, ahead, fetched, sums, hp, to, c, y, unit, row: first } = self.0;
        // SAFETY: rows and units are inside the matrices.
        unsafe {
            let mut cells = [(s.splat_f32s(0.0), s.splat_f32s(0.0)); M];
            for (row, cell) in (first..).zip(&mut cells) {
                let mut gates: [S::f32s; GATES] = std::array::from_fn(|gate| load(s, sums.row(row).add(gate * S::L)));
                if !matches!(x, Projected::Input(_)) {
                    let from = x.row(position + row);
                    for (gate, sum) in gates.iter_mut().enumerate() {
                        *sum = s.add_f32s(*sum, load(s, from.add(gate * hp + unit)));
                    }
                }
                if let Projected::Table(..) = x
                    && row < fetched
                {
                    let from = x.row(ahead + row);
                    for gate in 0..GATES {
                        prefetch(from.add(gate * hp + unit));
                    }
                }
                let c = c.row(row).add(unit);
                *cell = lstm_cell(s, gates, load(s, c));
                store(s, c, cell.0);
            }
            for (row, h) in (first..).zip(lstm_outputs(s, cells)) {
                store(s, to.row(row).add(unit), h);
                if y.exists() {
                    store(s, y.row(row).add(unit), h);
                }
            }
        }
    }
}
