//! The buffers of one layer and direction, sized for a batch.

use super::cells::kernel::Recurrence;
use super::shape::Shape;
use super::steps::DirMats;
use crate::simd::Buf;
use crate::simd::gemm::Mat;

/// What the forward pass leaves for the backward pass, and the states.
#[derive(Default)]
pub(crate) struct Trace {
    gates: Buf,
    hprev: Buf,
    cprev: Buf,
    saved: Buf,
    hfull: Buf,
    recurrent: Buf,
    pub h: Buf,
    pub c: Buf,
}

/// Gradients of the gates and states.
#[derive(Default)]
pub(crate) struct Grads {
    dg: Buf,
    dgh: Buf,
    dhr: Buf,
    dhfull: Buf,
    pub dh: Buf,
    pub dc: Buf,
}

fn mat(buf: &mut Buf, rows: usize, width: usize) -> Mat {
    // Everything is written before it is read.
    if buf.is_empty() {
        *buf = Buf::scratch(rows * width);
    }
    Mat::fit(buf, rows, width)
}

impl Trace {
    /// A copy of the states alone.
    pub fn states(&self) -> Self {
        Self { h: self.h.clone(), c: self.c.clone(), ..Self::default() }
    }

    /// Buffers for a batch of `rows` sequences with `total` positions; without `keep`, for inference only.
    pub fn mats(&mut self, shape: &Shape, rows: usize, total: usize, keep: bool) -> DirMats {
        let (hp, rp, gp) = (shape.hp, shape.rp, shape.gp);
        let per_gate = if keep { total } else { rows };
        let mut m = DirMats { keep, ..DirMats::NONE };
        m.gates = mat(&mut self.gates, per_gate, gp);
        m.h = mat(&mut self.h, rows, rp);
        if keep {
            m.hprev = mat(&mut self.hprev, total, rp);
        }
        let facts = shape.facts();
        if keep && facts.saves {
            m.saved = mat(&mut self.saved, total, hp);
        }
        if facts.cell_state {
            m.c = mat(&mut self.c, rows, hp);
            if keep {
                m.cprev = mat(&mut self.cprev, total, hp);
            }
        }
        if shape.config.proj_size > 0 {
            m.hfull = mat(&mut self.hfull, per_gate, hp);
        }
        if facts.recurrence == Recurrence::Apart {
            m.recurrent = mat(&mut self.recurrent, rows, gp);
        }
        m
    }
}

impl Grads {
    /// Adds the gradient buffers to those of a trace. With `in_place` the gates' gradients replace the gates, which
    /// spares memory traffic but allows only one backward pass.
    pub fn add_to(&mut self, m: &mut DirMats, shape: &Shape, rows: usize, total: usize, in_place: bool) {
        let (hp, rp, gp) = (shape.hp, shape.rp, shape.gp);
        m.dh = mat(&mut self.dh, rows, rp);
        m.dg = if in_place { m.gates } else { mat(&mut self.dg, total, gp) };
        if shape.facts().cell_state {
            m.dc = mat(&mut self.dc, rows, hp);
        }
        if shape.config.proj_size > 0 {
            m.dhr = mat(&mut self.dhr, total, rp);
            m.dhfull = mat(&mut self.dhfull, rows, hp);
        }
        if shape.facts().recurrence == Recurrence::Apart {
            m.dgh = mat(&mut self.dgh, total, gp);
        }
    }
}
