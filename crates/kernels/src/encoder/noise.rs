//! Adversarial noise on the embedded tokens of a text: `r = eps |e| g / |g|`, where `e` are the embedded tokens before
//! dropout and `g` is the gradient of the loss with respect to them. Norms are Euclidean over all numbers of the text.

use super::embedding::Embedding;
use super::plan::Plan;
use crate::random::drop_rows;
use crate::recurrent::layers::{Layers, Source};
use crate::recurrent::sums::Add;
use crate::simd::gemm::Mat;
use crate::simd::{Kernel, Lanes, dispatch};
use crate::threads::Member;

/// The input of a step's second pass, shared by a team.
#[derive(Clone, Copy)]
pub(crate) struct Noise {
    /// Norm of the noise relative to that of the embedded tokens.
    pub eps: f64,
    /// A row per packed position: the embedded tokens plus noise.
    pub x: Mat,
}

impl Noise {
    pub fn source(&self) -> Source<'static> {
        Source::Positions(self.x)
    }

    /// Computes the gradients of the embedded tokens at this member's share of the positions. Also those gradients of
    /// the distinct words whose sources the second pass overwrites.
    ///
    /// # Safety
    /// As [`Embedding::grads`]; a barrier must precede [`Noise::add`].
    pub unsafe fn gradients(
        &self,
        embedding: &Embedding,
        member: &Member<'_>,
        layers: &Layers<'_>,
        plan: &Plan,
        key: u64,
    ) {
        // SAFETY: by the caller's promise; the share is this member's.
        unsafe {
            layers.sum_words(member, &plan.users, false);
            let share = layers.position_grads(member, self.x);
            if embedding.drops() {
                drop_rows(key, embedding.dropout, self.x, share);
                if embedding.learns() {
                    member.meet();
                    embedding.sum_positions(self.x, member, plan, false);
                }
            }
        }
    }

    /// Turns the gradients into embedded tokens plus noise, for this member's texts.
    ///
    /// # Safety
    /// As [`Noise::gradients`].
    pub unsafe fn add(&self, embedding: &Embedding, member: &Member<'_>, plan: &Plan, key: u64) {
        let layout = &plan.layout;
        // Interleaved, because the longest texts come first.
        for row in (member.rank()..layout.rows()).step_by(member.size()) {
            let positions =
                || layout.offsets()[..layout.lengths()[row] as usize].iter().map(move |offset| offset + row);
            // SAFETY: the rows are inside the matrices, and this text is this member's.
            unsafe {
                let (mut e, mut g) = (0.0, 0.0);
                for position in positions() {
                    let vector = embedding.vector(plan, position);
                    e += dispatch(Squares(vector));
                    g += dispatch(Squares(std::slice::from_raw_parts(self.x.row(position), vector.len())));
                }
                let scale = if g == 0.0 { 0.0 } else { self.eps * (e / g).sqrt() };
                for position in positions() {
                    let to = std::slice::from_raw_parts_mut(self.x.row(position), self.x.stride);
                    dispatch(Scale { values: &mut *to, scale });
                    if embedding.drops() {
                        drop_rows(key, embedding.dropout, self.x, position..position + 1);
                    }
                    let from = std::slice::from_raw_parts(embedding.input(plan, position), to.len());
                    dispatch(Add { from, to });
                }
            }
        }
    }
}

/// Sum of squares in float64: squares of small gradients underflow in float32.
pub(crate) struct Squares<'a>(pub &'a [f32]);

/// Number of parallel sums, for vectorisation. It is the same for every instruction set, and so is the result.
const SIDE_BY_SIDE: usize = 16;

impl Kernel for Squares<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<S: Lanes>(self, _: S) -> f64 {
        // A plain loop, which the compiler vectorises with the instruction set of `S`.
        let mut sums = [0.0f64; SIDE_BY_SIDE];
        let (wide, rest) = self.0.as_chunks::<SIDE_BY_SIDE>();
        for values in wide {
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum += f64::from(value) * f64::from(value);
            }
        }
        for (sum, &value) in sums.iter_mut().zip(rest) {
            *sum += f64::from(value) * f64::from(value);
        }
        sums.iter().sum()
    }
}

/// Multiplies values by a factor that may be out of range for float32, while the products are in range.
struct Scale<'a> {
    values: &'a mut [f32],
    scale: f64,
}

impl Kernel for Scale<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Lanes>(self, _: S) {
        let scale = self.scale;
        self.values.iter_mut().for_each(|value| *value = (f64::from(*value) * scale) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Isa, dispatch_on};

    #[test]
    fn squares_are_summed_and_scaled_where_a_float32_underflows() {
        for n in [1, 15, 16, 17, 48, 300] {
            let values: Vec<f32> = (0..n).map(|i| (i as f32 - 7.5) * 1e-30).collect();
            let expected: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
            let sums: Vec<f64> =
                Isa::all_available().into_iter().map(|isa| dispatch_on(isa, Squares(&values))).collect();
            assert!((sums[0] / expected - 1.0).abs() < 1e-12, "{n}: {} {expected}", sums[0]);
            assert!(sums.iter().all(|sum| sum.to_bits() == sums[0].to_bits()), "{n}");
            let mut scaled = values.clone();
            dispatch(Scale { values: &mut scaled, scale: 1.0 / expected.sqrt() });
            let length: f64 = scaled.iter().map(|&value| f64::from(value).powi(2)).sum();
            assert!((length - 1.0).abs() < 1e-6, "{n}: {length}");
        }
    }
}
