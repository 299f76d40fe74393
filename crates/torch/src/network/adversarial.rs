//! Adversarial training: a second pass with noise on the embedded tokens, `r = eps |e| g / |g|` for each text.

use super::Network;
use super::batch::Packed;
use super::loss::Step;
use crate::Result;
use crate::autograd::{backward, grad, set_requires_grad};
use crate::error::{IntoResult, argument};
use crate::packing::pad_packed_sequence;
use crate::tally::Tally;
use tch::{Kind, Tensor};

/// The same numbers as the beginning of a graph, which collects their gradient.
pub(super) fn leaf(embedded: &Tensor) -> Result<Tensor> {
    let leaf = embedded.detach();
    set_requires_grad(&leaf, true)?;
    Ok(leaf)
}

impl Network {
    /// Adds the gradients of the loss with noise to those of the loss without, and gives the embedding its gradient of both.
    /// `embedded` are the embedded tokens, and `clean` their [`leaf`], from which the loss without noise has gone back.
    pub(super) fn backward_with_noise(
        &mut self,
        step: &Step<'_>,
        (embedded, clean): (&Tensor, &Tensor),
        tally: &mut Tally,
    ) -> Result<()> {
        let first = gradient(clean)?;
        let noisy = leaf(&clean.detach().f_add(&noise(step.options.adversarial, clean, &first, step.batch)?).torch()?)?;
        // The same masks: the words are chosen again, so that what follows draws what it drew before.
        self.generator.reseed(step.masks)?;
        let _ = self.model.read(&self.config, step.batch, Some(&mut self.generator))?;
        let (_, loss) = self.loss(step, &noisy)?;
        tally.watch(&loss)?;
        backward(&loss, Some(tally.one()), false)?;
        if embedded.requires_grad() {
            backward(embedded, Some(&first.f_add(&gradient(&noisy)?).torch()?), false)?;
        }
        Ok(())
    }
}

fn gradient(leaf: &Tensor) -> Result<Tensor> {
    grad(leaf)?.ok_or_else(|| argument("adversarial training without a gradient of the embedded tokens"))
}

/// The noise for embedded tokens and their gradient, all `[tokens, embedding_dim]`. Norms are computed in float64, as squares of
/// small gradients are below what a float32 holds; and on padded rows, since a sum by index has no fixed order on a GPU.
fn noise(eps: f64, embedded: &Tensor, gradient: &Tensor, batch: &Packed) -> Result<Tensor> {
    let places = batch.places.as_ref().ok_or_else(|| argument("the batch was not packed for adversarial training"))?;
    let gradient = gradient.f_to_kind(Kind::Double).torch()?;
    let embedded = embedded.detach().f_to_kind(Kind::Double).torch()?;
    let squares = |x: &Tensor| x.f_square().torch()?.f_sum_dim_intlist(1_i64, false, None::<Kind>).torch();
    let both = Tensor::f_stack(&[squares(&embedded)?, squares(&gradient)?], 1).torch()?;
    let (padded, _) = pad_packed_sequence(&both, &batch.batch_sizes, true, 0.0, 0)?;
    let sums = padded.f_sum_dim_intlist(1_i64, false, None::<Kind>).torch()?;
    let (length, steepest) = (sums.f_select(1, 0).torch()?, sums.f_select(1, 1).torch()?);
    let scale = length.f_div(&steepest).torch()?.f_sqrt().torch()?.f_mul_scalar(eps).torch()?;
    let scale = scale.f_masked_fill(&steepest.f_eq(0.0).torch()?, 0.0).torch()?;
    let each = scale.f_index_select(0, &places.row_of_position).torch()?.f_unsqueeze(1).torch()?;
    gradient.f_mul(&each).torch()?.f_to_kind(Kind::Float).torch()
}
