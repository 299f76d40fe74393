//! A linear-chain conditional random field: the probability of a whole path of tags.
//!
//! The score of a path is the sum of its emissions, its transitions, and the start and end scores of its first and last
//! tag (Lafferty et al., 2001); its probability is the softmax over all paths. The definitions are those of
//! pytorch-crf, with which the tests compare.
//!
//! A position stores `alpha`: the logarithm of the sum over all paths that end there in a tag, minus its largest value,
//! so that float32 keeps its precision for any length. The subtracted values are summed in float64. The backward pass
//! needs no second recursion: `exp(alpha[i] + between[i][j] - sums[j])` is the share of tag `i` in the sum of `j`, and
//! so the probability of `i` before `j`. The marginals follow, starting from the last position.
//!
//! A step multiplies `exp(alpha)` by the exponentials of the transitions, each column of which is divided by its
//! largest value: `n^2` multiplications instead of exponentials. That loses terms below e^-87. If a sum is so small
//! that this could matter, the step is computed in logarithms instead, and the position is marked as exact.

mod api;
#[cfg(feature = "training")]
mod backward;
mod forward;
#[cfg(feature = "training")]
mod gradients;
mod marginals;
mod paths;
mod scores;
mod share;
mod viterbi;

#[cfg(feature = "training")]
pub(super) use backward::{border_grads, emission_grads, transition_grads};
pub(super) use forward::Forward;
#[cfg(feature = "training")]
pub use gradients::Gradients;
pub(super) use marginals::Marginals;
pub(super) use paths::path_answers;
pub(super) use scores::CrfMats;
pub use scores::{Allowed, Crf};
