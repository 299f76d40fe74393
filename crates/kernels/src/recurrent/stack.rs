//! One layer's work as steps of a team: input projection, recurrence, and the gradients of weights and inputs.
//!
//! Every function is called by all members at once and shares the work out itself; a meeting must lie between two of
//! them. Weight gradients are shared by rows of the weight matrix, not by positions, so nothing has to be added up
//! afterwards and the result does not depend on the number of threads.

use std::ops::Range;

use super::cells::kernel::Recurrence;
use super::packs::DirPacks;
use super::shape::Shape;
use super::steps::{Aside, DirMats, Projected, Steps};
use crate::phases::{Phase, begin};
use crate::simd::dispatch;
use crate::simd::gemm::{Gemm, Init, Mat};
use crate::simd::outer::Outer;
use crate::threads::Member;
use recurra_core::layout::PackedLayout;

/// What all steps of a pass share.
pub(crate) struct Net<'a> {
    pub shape: &'a Shape,
    /// Indexed like [`Shape::parts`].
    pub packs: &'a [DirPacks],
    pub layout: &'a PackedLayout,
    /// The rows' cuts for the recurrence, one for each member of a direction.
    pub slices: &'a [Range<usize>],
    /// What each member does besides while the last layer goes back.
    pub aside: Option<Aside<'a>>,
}

/// Cuts the rows for a team: its members are first spread over the directions, then over rows.
pub(crate) fn slices(layout: &PackedLayout, dirs: usize, members: usize) -> Vec<Range<usize>> {
    layout.slices((members / dirs).max(1))
}

impl<'a> Net<'a> {
    fn part(&self, layer: usize, dir: usize) -> usize {
        layer * self.shape.dirs + dir
    }

    /// `out[dir] = bias + x W_ih^T` for `rows` rows.
    ///
    /// # Safety
    /// The matrices must have these rows, and the widths of the layer.
    pub unsafe fn project(&self, member: &Member<'_>, layer: usize, x: Mat, rows: usize, out: &[Mat]) {
        begin(Phase::Project);
        let share = member.share(rows, 8);
        for (dir, out) in out.iter().enumerate() {
            let packs = &self.packs[self.part(layer, dir)];
            // SAFETY: the share is inside the matrices and of this member only.
            unsafe {
                let (a, c) = (x.at(share.start, 0), out.at(share.start, 0));
                dispatch(Gemm { a, m: share.len(), b: &packs.ih_t, c, init: Init::Bias(packs.bias_x.as_ptr()) });
            }
        }
    }

    fn tasks(&self, member: &Member<'_>, layer: usize, mats: &[DirMats], run: impl Fn(Steps<'a>, usize)) {
        let dirs = self.shape.dirs;
        for task in (member.rank()..dirs * self.slices.len()).step_by(member.size()) {
            let (dir, slice) = (task % dirs, task / dirs);
            let first = task == member.rank();
            run(
                Steps {
                    hp: self.shape.hp,
                    rp: self.shape.rp,
                    layout: self.layout,
                    reverse: dir == 1,
                    rows: self.slices[slice].clone(),
                    packs: &self.packs[self.part(layer, dir)],
                    mats: mats[dir],
                    aside: self.aside.filter(|_| first && layer + 1 == self.shape.layers()),
                },
                dir,
            );
        }
    }

    /// The recurrence of a layer; `x` has one entry for each direction.
    ///
    /// # Safety
    /// As [`Steps`].
    pub unsafe fn forward(&self, member: &Member<'_>, layer: usize, mats: &[DirMats], x: &[Projected]) {
        let cell = self.shape.cell;
        self.tasks(member, layer, mats, |steps, dir| {
            // SAFETY: by the caller's promise.
            unsafe { if steps.mats.keep { cell.forward(steps, x[dir]) } else { cell.infer(steps, x[dir]) } }
        });
    }

    /// The recurrence of a layer backward.
    ///
    /// # Safety
    /// As [`Steps`].
    #[cfg(feature = "training")]
    pub unsafe fn backward(&self, member: &Member<'_>, layer: usize, mats: &[DirMats]) {
        // SAFETY: by the caller's promise.
        self.tasks(member, layer, mats, |steps, _| unsafe { self.shape.cell.backward(steps) });
    }

    /// Gradients of all parameters of a layer, into `grads` at the offsets of the segments.
    ///
    /// The input's side may be over other rows than packed positions: `x` and `dgx[dir]` have `x_rows` rows.
    ///
    /// # Safety
    /// As [`Steps`]; `grads` must hold all segments.
    pub unsafe fn weight_grads(
        &self,
        member: &Member<'_>,
        layer: usize,
        mats: &[DirMats],
        x: (Mat, usize),
        dgx: &[Mat],
        grads: *mut f32,
    ) {
        begin(Phase::WeightGrads);
        let shape = self.shape;
        let n = self.layout.total();
        for (dir, p) in mats.iter().enumerate() {
            let part = &shape.parts[self.part(layer, dir)];
            let apart = shape.facts().recurrence == Recurrence::Apart;
            let dgh = if apart { p.dgh } else { p.dg };
            // SAFETY: each member writes its own rows of each gradient.
            unsafe {
                let place = |segment: usize| {
                    let segment = &shape.segments[segment];
                    Mat { ptr: grads.add(segment.offset), stride: segment.stride() }
                };
                let bias = |segment: Option<usize>| segment.map(|segment| place(segment).ptr);
                let matrix = |segment: usize, a: Mat, b: Mat, n: usize, sums: Option<*mut f32>| {
                    let c = place(segment);
                    let i = member.share(shape.segments[segment].rows.private(), 8);
                    dispatch(Outer { a, b, n, i, columns: c.stride, c, fresh: true, sums });
                };
                let (x_sums, h_sums) = (bias(part.b_ih), bias(part.b_hh));
                if let Some(w_hh) = part.w_hh {
                    matrix(w_hh, dgh, p.hprev, n, h_sums.filter(|_| apart));
                }
                matrix(part.w_ih, dgx[dir], x.0, x.1, x_sums);
                if let Some(w_hr) = part.w_hr {
                    matrix(w_hr, p.dhr, p.hfull, n, None);
                }
                if let (Some(x_sums), Some(h_sums), false) = (x_sums, h_sums, apart) {
                    let own = member.share(shape.gp, 8);
                    std::ptr::copy_nonoverlapping(x_sums.add(own.start), h_sums.add(own.start), own.len());
                }
            }
        }
    }

    /// Gradient of a layer's input over this member's share of `rows` rows, which is returned.
    ///
    /// # Safety
    /// As [`Net::project`].
    pub unsafe fn input_grads(
        &self,
        member: &Member<'_>,
        layer: usize,
        dg: &[Mat],
        rows: usize,
        dx: Mat,
    ) -> Range<usize> {
        begin(Phase::InputGrads);
        let share = member.share(rows, 8);
        for (dir, dg) in dg.iter().enumerate() {
            let b = &self.packs[self.part(layer, dir)].ih;
            // SAFETY: the share is inside the matrices and of this member only.
            unsafe {
                let c = dx.at(share.start, 0);
                let init = if dir == 0 { Init::Zero } else { Init::Of(c) };
                dispatch(Gemm { a: dg.at(share.start, 0), m: share.len(), b, c, init });
            }
        }
        share
    }
}
