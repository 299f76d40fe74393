//! From the flat parameters to the forms that the kernels read.

use super::cells::kernel::{InferenceWeights, Recurrence};
use super::packs::DirPacks;
use super::shape::{DirSegments, Shape};
use crate::simd::gemm::PackedB;

impl DirPacks {
    /// Number of the pieces that [`DirPacks::pack`] takes.
    pub const PIECES: usize = 3;
    /// The piece of the recurrent weights.
    const RECURRENT: usize = 1;

    /// Packs one piece of the weights, the recurrent ones from `recurrent`, which like `flat` has them at their offsets. `backward` also
    /// packs what only the backward pass needs.
    ///
    /// # Safety
    /// `this` must be valid. Different pieces touch different fields, so a team may share them out, but no piece may be
    /// packed by two threads at once, nor read at the same time.
    pub unsafe fn pack(
        this: *mut Self,
        piece: usize,
        shape: &Shape,
        part: &DirSegments,
        (flat, recurrent): (&[f32], &[f32]),
        backward: bool,
    ) {
        let place = |i: usize| shape.segments[i].offset..shape.segments[i].offset + shape.segments[i].size();
        let of = |i: usize| &flat[place(i)];
        let kp = shape.segments[part.w_ih].stride();
        let both = |t: &mut PackedB, b: &mut PackedB, values: &[f32], rows: usize, columns: usize| {
            t.resize(columns, rows);
            t.pack_transposed(values, columns);
            if backward {
                b.resize(rows, columns);
                b.pack(values, columns);
            }
        };
        // SAFETY: by the caller's promise; references are made to single fields only.
        unsafe {
            match piece {
                0 => both(&mut (*this).ih_t, &mut (*this).ih, of(part.w_ih), shape.gp, kp),
                Self::RECURRENT => {
                    if let Some(w_hh) = part.w_hh {
                        both(&mut (*this).hh_t, &mut (*this).hh, &recurrent[place(w_hh)], shape.gp, shape.rp);
                    }
                }
                _ => {
                    let (bias_x, bias_h) = (&mut (*this).bias_x, &mut (*this).bias_h);
                    bias_x.grow(shape.gp);
                    bias_h.grow(shape.gp);
                    if let Some(b_ih) = part.b_ih {
                        bias_x.copy_from_slice(of(b_ih));
                    }
                    if let Some(b_hh) = part.b_hh {
                        if shape.facts().recurrence == Recurrence::Apart {
                            bias_h.copy_from_slice(of(b_hh));
                        } else {
                            bias_x.iter_mut().zip(of(b_hh)).for_each(|(x, h)| *x += h);
                        }
                    }
                    if let Some(w_hr) = part.w_hr {
                        both(&mut (*this).hr_t, &mut (*this).hr, of(w_hr), shape.rp, shape.hp);
                    }
                }
            }
        }
    }

    /// Packs everything on the calling thread, for a backward pass too where one may follow.
    pub fn pack_all(&mut self, shape: &Shape, part: &DirSegments, flat: &[f32], backward: bool) {
        for piece in 0..Self::PIECES {
            // SAFETY: `self` is borrowed mutably.
            unsafe { Self::pack(self, piece, shape, part, (flat, flat), backward) };
        }
    }

    /// Packs what inference reads, on the calling thread. A cell with its own kernels for that reads the recurrent weights in another
    /// order, and only in that; with `codes` in eight bits. With `input` it also reads inputs that are not projected yet.
    pub fn pack_inference(&mut self, shape: &Shape, part: &DirSegments, flat: &[f32], input: bool, codes: bool) {
        let of = |i: usize| &flat[shape.segments[i].offset..][..shape.segments[i].size()];
        if let (None, Some(w_hh)) = (part.w_hr, part.w_hh) {
            let (hp, rp, kp) = (shape.hp, shape.rp, shape.segments[part.w_ih].stride());
            let weights = InferenceWeights { w_ih: of(part.w_ih), w_hh: of(w_hh), hp, rp, kp, input, codes };
            shape.cell.pack_inference(self, &weights);
        }
        let replaced = self.units.exist() || self.coded.exist();
        for piece in (0..Self::PIECES).filter(|&piece| !(replaced && piece == Self::RECURRENT)) {
            // SAFETY: `self` is borrowed mutably.
            unsafe { Self::pack(self, piece, shape, part, (flat, flat), false) };
        }
    }
}
