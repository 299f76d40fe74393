//! Tagging heads: a linear layer on the encoder's outputs, and a softmax or a CRF over its scores.

mod adaptive;
mod chain;
mod softmax;
mod tokens;

pub(super) use adaptive::Adaptive;
pub(super) use chain::Chain;
pub(super) use softmax::Softmax;
pub(super) use tokens::Tokens;

use crate::heads::pass::HeadPass;

/// Values per prediction: the tag, its probability, and the joint probability with the next token's tag (at the last
/// token, the tag's probability again). The probability of a path from `s` to `e` is then `p[s] * product over t in
/// s..e of both[t] / p[t]`.
const ANSWER: usize = 3;

/// Fills in the third value of predictions for heads with independent tokens.
///
/// # Safety
/// The predictions of all positions must have their first two values and belong to this thread.
unsafe fn chances_of_next(pass: &HeadPass<'_>) {
    let (answers, layout) = (pass.mats.answers, pass.encoded.layout);
    for time in 0..layout.steps() {
        for row in 0..layout.batch_sizes()[time] as usize {
            // SAFETY: by the caller's promise.
            unsafe {
                let answer = answers.row(layout.offsets()[time] + row);
                let next = layout.position(row, time + 1);
                let after = next.map_or(1.0, |next| *answers.row(next).add(1));
                answer.add(2).write(*answer.add(1) * after);
            }
        }
    }
}
