//! What each token of a text adds to a class's logit, to first order: the logit's gradient with respect to the token's
//! embedded vector, times that vector. The pass back is that of a training step, without dropout and without moving
//! anything.

use super::head::Head;
use super::model::Model;
use super::plan::Plan;
use super::predict::Output;
use super::space::TrainSpace;
use super::{Classifier, data};
use crate::recurrent::{Net, Projected, slices};
use crate::simd::gemm::Mat;
use crate::threads::Member;
use recurra_core::layout::PackedLayout;
use recurra_core::{Error, ErrorCode, Result};

/// What a text's tokens contribute to one class.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The class explained.
    pub class: usize,
    /// The linear layer's outputs for the text, one for each class.
    pub logits: Vec<f32>,
    /// Their probabilities, as [`super::Classifier::predict`] gives them.
    pub probabilities: Vec<f32>,
    /// Gradient of the class's logit times the token's embedded vector, one for each token.
    pub contributions: Vec<f32>,
}

impl Classifier {
    /// What each token of one text contributes to a class's logit, by gradient times input. Without a class it is the one
    /// with the largest logit. The weights, the optimizer and the random numbers of training stay as they are.
    ///
    /// # Errors
    /// `OutOfRange` for no token, one outside the vocabulary, or a class that does not exist.
    pub fn explain(&self, tokens: &[i32], class: Option<usize>) -> Result<Explanation> {
        let lengths = [tokens.len() as i32];
        data::check_rows(tokens, &lengths, self.model.config.vocab_size)?;
        let classes = self.model.config.num_classes;
        if let Some(class) = class.filter(|&class| class >= classes) {
            return Err(Error::new(ErrorCode::OutOfRange, format!("class {class} is outside the {classes} classes")));
        }
        self.with_reader(|reader| {
            let weights = (reader.embedding, reader.flat);
            let (class, logits, contributions) = gradient_times_input(&self.model, weights, tokens, class)?;
            let probabilities = self.outputs(reader, tokens, &lengths, Output::Probabilities)?;
            Ok(Explanation { class, logits, probabilities, contributions })
        })
    }

    /// The linear layer's outputs for texts: what [`Self::predict`] makes probabilities of, in the same order.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn logits(&self, tokens: &[i32], lengths: &[i32]) -> Result<Vec<f32>> {
        data::check_rows(tokens, lengths, self.model.config.vocab_size)?;
        self.with_reader(|reader| self.outputs(reader, tokens, lengths, Output::Logits))
    }
}

/// Gradient times input for one validated text. Returns the class, which is the first with the largest logit where none is
/// given, the logits and the contributions.
fn gradient_times_input(
    model: &Model,
    (embedding, flat): (&[f32], &[f32]),
    tokens: &[i32],
    class: Option<usize>,
) -> Result<(usize, Vec<f32>, Vec<f32>)> {
    let (shape, member, total) = (&model.shape, Member::alone(), tokens.len());
    let (layers, dirs, dims) = (shape.layers(), shape.dirs, model.config.embedding_dim);
    let layout = PackedLayout::new(&[total as i32], None)?;
    // Every position is a word of its own, since the same word may matter in one place and not in another.
    let plan = Plan {
        slices: slices(&layout, dirs, 1),
        layout,
        ids: tokens.iter().map(|&id| id as u32).collect(),
        slots: (0..total as u32).collect(),
        ..Plan::default()
    };
    let mut space = TrainSpace::default();
    let mats = space.fit(model, std::slice::from_ref(&plan));
    for (packs, part) in space.packs.iter_mut().zip(&shape.parts) {
        packs.pack_all(shape, part, flat, true);
    }
    space.fc.pack(model, flat, true);
    space.attention_packs.pack(model, flat, true);
    let net = Net { shape, packs: &space.packs, layout: &plan.layout, slices: &plan.slices, aside: None };
    let parts = |layer: usize| &mats.dirs[layer * dirs..][..dirs];
    // SAFETY: the space is this call's alone and fits the plan; the ids were validated. New buffers are zero, so the first
    // states and the gradients of the last ones are.
    unsafe {
        for (position, &id) in plan.ids.iter().enumerate() {
            let from = embedding[id as usize * dims..][..dims].as_ptr();
            std::ptr::copy_nonoverlapping(from, mats.x.row(position), dims);
        }
        for layer in 0..layers {
            let gates: Vec<Mat> = parts(layer).iter().map(|m| m.gates).collect();
            let x = if layer == 0 { mats.x } else { mats.y[layer - 1] };
            net.project(&member, layer, x, total, &gates);
            let x: Vec<Projected> = gates.into_iter().map(Projected::Packed).collect();
            net.forward(&member, layer, parts(layer), &x);
        }
        let head = Head {
            model,
            packs: &space.fc,
            attention: &space.attention_packs,
            flat: flat.as_ptr(),
            layout: &plan.layout,
            mats: mats.head,
            top: parts(layers - 1),
            dropout: None,
            rows: 0..1,
        };
        head.forward();
        let (classes, padded) = (model.config.num_classes, model.fc_weight.rows.private());
        let row = std::slice::from_raw_parts_mut(mats.head.logits.row(0), padded);
        let logits = row[..classes].to_vec();
        let first_largest = |best: usize, i: usize| if logits[i] > logits[best] { i } else { best };
        let class = class.unwrap_or_else(|| (0..classes).fold(0, first_largest));
        row.fill(0.0);
        row[class] = 1.0;
        head.backward();
        net.backward(&member, layers - 1, head.top);
        for layer in (0..layers).rev() {
            let dg: Vec<Mat> = parts(layer).iter().map(|m| m.dg).collect();
            let to = if layer == 0 { mats.dx } else { mats.dy[layer - 1] };
            net.input_grads(&member, layer, &dg, total, to);
            if layer > 0 {
                net.backward(&member, layer - 1, parts(layer - 1));
            }
        }
        let vector = |mat: Mat, position: usize| std::slice::from_raw_parts(mat.row(position), dims);
        let product = |position: usize| {
            let pairs = vector(mats.dx, position).iter().zip(vector(mats.x, position));
            pairs.map(|(&d, &x)| f64::from(d) * f64::from(x)).sum::<f64>() as f32
        };
        let contributions = (0..total).map(product).collect();
        Ok((class, logits, contributions))
    }
}
