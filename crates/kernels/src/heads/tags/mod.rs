//! One answer to each token: a linear layer on the encoder's outputs, and a softmax or a chain of tags over its scores.

mod chain;
mod softmax;
mod tokens;

pub(super) use chain::Chain;
pub(super) use softmax::Softmax;
pub(super) use tokens::Tokens;

/// Numbers of an answer: the tag, its probability at the token, and the probability that it and the tag of the next token are both
/// right; at the last token of a row the same as the second. The probability of a path from `s` to `e` is then
/// `p[s] * product over t in s..e of both[t] / p[t]`.
const ANSWER: usize = 3;
