//! What each token of a text adds to a class's logit, to first order: the logit's gradient with respect to the token's
//! embedded vector, times that vector. The pass back is that of a training step, without dropout and without moving
//! anything.

use super::model::Network;
use super::plans::StepPlan;
use super::predict::Reader;
use super::space::TrainSpace;
use crate::encoder::encoded::Encoded;
use crate::encoder::plan::Plan;
use crate::heads::pass::{Aim, HeadPass, Unit};
use crate::recurrent::layers::{LayerDropout, Layers, Source, Start};
use crate::recurrent::stack::{Net, slices};
use crate::simd::gemm::Mat;
use crate::threads::Member;
use recurra_core::{Error, ErrorCode, Forms, Result, Rows, layout::PackedLayout};

/// What a text's tokens contribute to one class.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The class explained.
    pub class: usize,
    /// The linear layer's outputs for the text, one for each class.
    pub logits: Vec<f32>,
    /// Their probabilities, as [`super::Network::predict`] gives them.
    pub probabilities: Vec<f32>,
    /// Gradient of the class's logit times the token's embedded vector, one for each token.
    pub contributions: Vec<f32>,
}

impl Network {
    /// What each token of one text contributes to a class's logit, by gradient times input. Without a class it is the one
    /// with the largest logit. The weights, the optimizer and the random numbers of training stay as they are.
    ///
    /// # Errors
    /// `InvalidArgument` for a network that answers for each token; `OutOfRange` for no token, one outside the vocabulary, or a
    /// class that does not exist.
    pub fn explain(&self, tokens: &[i32], class: Option<usize>) -> Result<Explanation> {
        self.explain_row(tokens, None, class)
    }

    /// As [`Self::explain`], for a row of words or of forms. The embedded vector of a form is its word's with that of its features.
    ///
    /// # Errors
    /// As [`Self::explain`] and [`Rows::validate`].
    pub fn explain_row(&self, tokens: &[i32], forms: Option<&Forms>, class: Option<usize>) -> Result<Explanation> {
        if self.params.head.unit() == Unit::Token {
            let message = "an explanation is of one answer to a whole text; this network answers for each token";
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
        let lengths = [tokens.len() as i32];
        let row = Rows { tokens, lengths: &lengths, forms };
        self.params.check(row)?;
        let classes = self.params.head.outputs();
        if let Some(class) = class.filter(|&class| class >= classes) {
            return Err(Error::new(ErrorCode::OutOfRange, format!("class {class} is outside the {classes} classes")));
        }
        self.with_reader(|reader| {
            let (class, logits, contributions) = gradient_times_input(reader, row, class)?;
            let probabilities = self.outputs(reader, row, Aim::Answers)?;
            Ok(Explanation { class, logits, probabilities, contributions })
        })
    }
}

/// Gradient times input for one validated text. Returns the class, which is the first with the largest logit where none is
/// given, the logits and the contributions.
fn gradient_times_input(
    reader: &Reader<'_>,
    row: Rows<'_>,
    class: Option<usize>,
) -> Result<(usize, Vec<f32>, Vec<f32>)> {
    let &Reader { params, flat, .. } = reader;
    let (shape, head, member, total) = (&params.shape, &params.head, Member::alone(), row.tokens.len());
    let dims = params.config.encoder.inputs();
    let layout = PackedLayout::new(&[total as i32], None)?;
    // Every position is a separate word, since the same word may matter in one place and not in another.
    let words = Plan {
        slices: slices(&layout, shape.dirs, 1),
        layout,
        ids: row.tokens.iter().map(|&id| id as u32).collect(),
        slots: (0..total as u32).collect(),
        ..Plan::default()
    };
    let plan = StepPlan { words, ..StepPlan::default() };
    let mut space = TrainSpace::default();
    let mats = space.fit(params, std::slice::from_ref(&plan), false);
    for (packs, part) in space.packs.iter_mut().zip(&shape.parts) {
        packs.pack_all(shape, part, flat, true);
    }
    head.pack_all(&mut space.head_packs, flat, true);
    let words = &plan.words;
    reader.embed(&words.ids, row.forms, mats.x);
    let layers = Layers {
        net: Net { shape, packs: &space.packs, layout: &words.layout, slices: &words.slices, aside: None },
        source: Source::Positions(mats.x),
        dirs: &mats.dirs,
        y: &mats.y,
        dy: &mats.dy,
        projected: &[],
        from_inputs: false,
        dropout: LayerDropout::default(),
    };
    let last = shape.layers() - 1;
    let encoded =
        Encoded { layout: &words.layout, top: layers.top(), y: mats.y[last], dy: mats.dy[last], part: shape.rp };
    let pass =
        HeadPass { encoded, rows: 0..1, mats: mats.head, packs: &space.head_packs, flat: flat.as_ptr(), dropout: None };
    // SAFETY: the space is this call's alone and fits the plan; the ids were validated.
    unsafe {
        layers.forward(&member, Start::Zeros(0..1));
        head.forward(&pass);
        let row = std::slice::from_raw_parts_mut(mats.head.scores.row(0), mats.head.scores.stride);
        let logits = row[..head.outputs()].to_vec();
        let first_largest = |best: usize, i: usize| if logits[i] > logits[best] { i } else { best };
        let class = class.unwrap_or_else(|| (0..logits.len()).fold(0, first_largest));
        row.fill(0.0);
        row[class] = 1.0;
        head.backward(&pass, &plan.targets);
        layers.backward_top(&member);
        layers.backward(&member, None);
        layers.first_input_grads(&member, mats.dx);
        let vector = |mat: Mat, position: usize| std::slice::from_raw_parts(mat.row(position), dims);
        let product = |position: usize| {
            let pairs = vector(mats.dx, position).iter().zip(vector(mats.x, position));
            pairs.map(|(&d, &x)| f64::from(d) * f64::from(x)).sum::<f64>() as f32
        };
        let contributions = (0..total).map(product).collect();
        Ok((class, logits, contributions))
    }
}
