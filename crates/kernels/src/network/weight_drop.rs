//! Dropout of recurrent weights: one mask for all rows and positions of a batch, as AWD-LSTM's weight drop. Merity et al.,
//! "Regularizing and Optimizing LSTM Language Models", 2018.

use super::params::Params;
use crate::random::drop_rows;
use crate::recurrent::segments::Segment;
use crate::recurrent::shape::Shape;
use crate::simd::Buf;
use crate::simd::gemm::Mat;
use crate::threads::Member;

/// The recurrent weights of a step without what is dropped, as a team shares them.
#[derive(Clone, Copy)]
pub(super) struct WeightDrop {
    p: f32,
    /// As large as all parameters; only the recurrent weights are there.
    flat: *mut f32,
    size: usize,
}

// SAFETY: only an address; what it leads to belongs to one member at a time.
unsafe impl Send for WeightDrop {}
// SAFETY: as above.
unsafe impl Sync for WeightDrop {}

/// Rows that a member takes at a time: those of the weights' gradients.
const TOGETHER: usize = 8;

impl WeightDrop {
    /// None where nothing is dropped.
    pub fn new(params: &Params, room: &mut Buf) -> Option<Self> {
        let p = params.config.encoder.dropouts.recurrent as f32;
        // The recurrent layers come first among the parameters.
        let size = params.shape.segments.iter().map(|segment| segment.offset + segment.size()).max()?;
        (p > 0.0).then(|| {
            room.grow(size);
            Self { p, flat: room.ptr(), size }
        })
    }

    /// The recurrent weights of each layer and direction, with the number that their mask is drawn by.
    fn each(shape: &Shape) -> impl Iterator<Item = (u64, &Segment)> {
        let weights = |(number, part): (usize, &crate::recurrent::shape::DirSegments)| {
            part.w_hh.map(|segment| (number as u64, &shape.segments[segment]))
        };
        shape.parts.iter().enumerate().filter_map(weights)
    }

    /// Writes this member's share of the weights without what is dropped; `key` gives each layer and direction its mask.
    ///
    /// # Safety
    /// All members must call it; `flat` must hold all parameters, and nothing may change them.
    pub unsafe fn draw(&self, member: &Member<'_>, shape: &Shape, flat: *const f32, key: impl Fn(u64) -> u64) {
        for (number, segment) in Self::each(shape) {
            let rows = member.share(segment.rows.private(), TOGETHER);
            let (from, to) = (segment.offset + rows.start * segment.stride(), rows.len() * segment.stride());
            // SAFETY: by the caller's promise; the rows are this member's.
            unsafe {
                std::ptr::copy_nonoverlapping(flat.add(from), self.flat.add(from), to);
                let mat = Mat { ptr: self.flat.add(segment.offset), stride: segment.stride() };
                drop_rows(key(number), self.p, mat, rows);
            }
        }
    }

    /// The weights without what is dropped, at the offsets of all parameters.
    ///
    /// # Safety
    /// All members must have met after [`WeightDrop::draw`].
    pub unsafe fn weights(&self) -> &[f32] {
        // SAFETY: by the caller's promise.
        unsafe { std::slice::from_raw_parts(self.flat, self.size) }
    }

    /// From the gradients of the weights without what is dropped to those of the weights, for this member's share.
    ///
    /// # Safety
    /// The gradients must hold all parameters; the share is that of the weights' gradients.
    pub unsafe fn back(&self, member: &Member<'_>, shape: &Shape, grads: *mut f32, key: impl Fn(u64) -> u64) {
        for (number, segment) in Self::each(shape) {
            let rows = member.share(segment.rows.private(), TOGETHER);
            // SAFETY: by the caller's promise.
            unsafe {
                drop_rows(key(number), self.p, Mat { ptr: grads.add(segment.offset), stride: segment.stride() }, rows);
            }
        }
    }
}
