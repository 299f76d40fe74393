//! A linear-chain conditional random field: the probability of a whole path of tags.
//!
//! The score of a path is the sum of its emissions, of its transitions, and of the start and end scores of its first and last
//! tag (Lafferty and others, 2001); its probability is the softmax over all paths. The definitions are those of pytorch-crf, with
//! which the tests compare.
//!
//! A position keeps `alpha`, the logarithm of the sum over all paths that end there in a tag, less its largest value, so that
//! float32 keeps its digits however long the sequence is; what was taken off is summed in float64. The way back needs no second
//! recursion: `exp(alpha[i] + between[i][j] - sums[j])` is the share that the tag `i` has in the sum of `j`, and so the probability
//! of `i` before `j`; the marginals follow from the last position on.
//!
//! A step is a product of `exp(alpha)` with the exponentials of the transitions, each column of which is divided by its largest
//! value: `n^2` multiplications instead of exponentials. That loses parts below e^-87. Where a sum is so small that this could
//! show, the step is taken in logarithms instead, and the position is marked as exact.

mod api;
mod backward;
mod forward;
mod paths;
mod scores;
mod share;
mod viterbi;

pub use api::Gradients;
pub(super) use backward::{Marginals, border_grads, emission_grads, transition_grads};
pub(super) use forward::Forward;
pub(super) use paths::path_answers;
pub(super) use scores::CrfMats;
pub use scores::{Allowed, Crf};
