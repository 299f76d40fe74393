//! Parameters and forward pass.

use super::batch::{ForMean, Packed};
use super::{ClassifierConfig, Pooling};
use crate::Result;
use crate::autograd::{is_grad_enabled, set_requires_grad};
use crate::error::{IntoResult, argument};
use crate::packing::pad_packed_sequence;
use crate::random::Generator;
use crate::recurrent::{Options, Packing, flatten_weights, rnn_by_operators};
use crate::{functional, init};
use std::cell::RefCell;
use tch::{Kind, Tensor};

/// Parameters under PyTorch's names, in the order embedding, recurrent layers, attention (if that is the pooling), linear
/// layer.
pub(super) struct Model {
    pub named: Vec<(String, Tensor)>,
    /// Zeros for initial states, as many as were needed so far.
    zeros: RefCell<Tensor>,
}

impl Model {
    /// Draws the initial values on the CPU and moves them to the device.
    pub fn new(config: &ClassifierConfig, generator: &mut Generator) -> Result<Self> {
        let padding = (config.padding_idx >= 0).then_some(config.padding_idx);
        let embedding = init::embedding(config.vocab_size, config.embedding_dim, padding, generator)?
            .f_mul_scalar(config.embedding_std)
            .torch()?;
        let (names, shapes): (Vec<_>, Vec<_>) = config.recurrent_parameters().into_iter().unzip();
        let recurrent = init::recurrent(&shapes, config.hidden_size, generator)?;
        let mut attention = Vec::new();
        if config.pooling == Pooling::Attention {
            let (weight, bias) = init::linear(config.features(), config.features(), generator)?;
            let query = init::linear_weight(1, config.features(), generator)?;
            let names = ["attention.proj.weight", "attention.proj.bias", "attention.query.weight"];
            attention.extend(names.map(str::to_owned).into_iter().zip([weight, bias, query]));
        }
        let (weight, bias) = init::linear(config.num_classes, config.features(), generator)?;

        let mut named = vec![("embedding.weight".to_owned(), embedding)];
        named.extend(names.into_iter().zip(recurrent));
        named.extend(attention);
        named.extend([("fc.weight".to_owned(), weight), ("fc.bias".to_owned(), bias)]);
        for (_, tensor) in &mut named {
            *tensor = tensor.f_to(config.device).torch()?;
            set_requires_grad(tensor, true)?;
        }
        let zeros = Tensor::f_zeros([0_i64], (Kind::Float, config.device)).torch()?;
        let model = Self { named, zeros: RefCell::new(zeros) };
        model.flatten(config)?;
        Ok(model)
    }

    /// Puts the weights of each recurrent layer together, as cuDNN wants them.
    fn flatten(&self, config: &ClassifierConfig) -> Result<()> {
        let tensors: Vec<&Tensor> = self.parameters().collect();
        let count = config.recurrent_parameters().len();
        for weights in tensors[1..=count].chunks(4 * config.directions() as usize) {
            flatten_weights(weights, &layer_options(config))?;
        }
        Ok(())
    }

    /// Zeros that nobody writes to.
    fn zeros(&self, shape: &[i64], config: &ClassifierConfig) -> Result<Tensor> {
        let count: i64 = shape.iter().product();
        let mut zeros = self.zeros.borrow_mut();
        if (zeros.numel() as i64) < count {
            *zeros = Tensor::f_zeros([count], (Kind::Float, config.device)).torch()?;
        }
        zeros.f_narrow(0, 0, count).torch()?.f_view(shape).torch()
    }

    /// All parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &Tensor> {
        self.named.iter().map(|(_, tensor)| tensor)
    }

    /// Logits `[rows, classes]` in the batch's sorted order. With a generator dropout is active.
    pub fn forward(
        &self,
        config: &ClassifierConfig,
        batch: &Packed,
        mut dropout: Option<&mut Generator>,
    ) -> Result<Tensor> {
        let mut drop = |x: Tensor, p: f64| match dropout.as_mut() {
            Some(generator) => generator.dropout(&x, p),
            None => Ok(x),
        };
        let tensors: Vec<&Tensor> = self.parameters().collect();
        let (embedding, rest) = (tensors[0], &tensors[1..]);
        let (rest, head) = rest.split_at(rest.len() - 2);
        let (recurrent, attention) = rest.split_at(config.recurrent_parameters().len());

        // Chosen as dropout chooses: the words whose ones become zeros.
        let ids = if config.word_dropout > 0.0 {
            let ones = Tensor::f_ones(batch.ids.size(), (Kind::Float, config.device)).torch()?;
            let dropped = drop(ones, config.word_dropout)?.f_eq(0.0).torch()?;
            batch.ids.f_masked_fill(&dropped, config.unknown_idx).torch()?
        } else {
            batch.ids.shallow_clone()
        };
        let embedded = Tensor::f_embedding(embedding, &ids, config.padding_idx, false, false).torch()?;
        let mut x = drop(embedded, config.embedding_dropout)?;
        let mode = config.cell.mode();
        let zeros = self.zeros(&[config.directions(), batch.rows(), config.hidden_size], config)?;
        let state = vec![&zeros; mode.states()];
        // One layer at a time, so that the masks between layers come from this classifier's generator too.
        let options = layer_options(config);
        let packing = Packing { batch_sizes: &batch.batch_sizes, order: None };
        let mut last = None;
        for weights in recurrent.chunks(4 * config.directions() as usize) {
            if last.is_some() {
                x = drop(x, config.dropout)?;
            }
            let mut outputs = rnn_by_operators(&x, Some(packing), &state, weights, &options)?.into_iter();
            // Autocast leaves them in bfloat16; what follows adds up, and does so exactly.
            x = as_float(outputs.next().unwrap_or(x))?;
            last = outputs.next().map(as_float).transpose()?;
        }
        let pooled = match (config.pooling, last) {
            (Pooling::Last, Some(h)) => {
                h.f_permute([1_i64, 0, 2]).torch()?.f_reshape([batch.rows(), config.features()]).torch()?
            }
            (Pooling::Mean, _) | (Pooling::Last, None) => {
                let zeros = self.zeros(&[batch.rows(), config.features()], config)?;
                let mean = batch.mean.as_ref().ok_or_else(|| argument("the batch was not packed for a mean"))?;
                mean_over_tokens(&x, zeros, mean)?
            }
            (Pooling::Max, _) => {
                let (padded, _) = pad_packed_sequence(&x, &batch.batch_sizes, true, f64::NEG_INFINITY, 0)?;
                padded.f_max_dim(1, false).torch()?.0
            }
            (Pooling::Attention, _) => attend(&x, batch, attention)?,
        };
        as_float(functional::linear(&drop(pooled, config.dropout)?, head[0], Some(head[1]))?)
    }
}

/// Of one layer.
fn layer_options(config: &ClassifierConfig) -> Options {
    Options {
        cell: config.cell.mode(),
        has_biases: true,
        num_layers: 1,
        dropout: 0.0,
        // cuDNN keeps what its backward pass needs only when told that it trains.
        train: is_grad_enabled(),
        bidirectional: config.bidirectional,
        batch_first: true,
    }
}

fn as_float(x: Tensor) -> Result<Tensor> {
    if x.f_kind().torch()? == Kind::Float { Ok(x) } else { x.f_to_kind(Kind::Float).torch() }
}

/// `zeros` are `[rows, features]`.
fn mean_over_tokens(x: &Tensor, zeros: Tensor, mean: &ForMean) -> Result<Tensor> {
    let sums = zeros.f_index_add(0, &mean.row_of_position, x).torch()?;
    sums.f_div(&mean.lengths).torch()
}

/// `sum over t of a[t] h[t]` with `a = softmax(q . tanh(W h + b))`.
fn attend(x: &Tensor, batch: &Packed, parameters: &[&Tensor]) -> Result<Tensor> {
    let hidden = as_float(functional::linear(x, parameters[0], Some(parameters[1]))?)?.f_tanh().torch()?;
    let scores = as_float(functional::linear(&hidden, parameters[2], None)?)?;
    let (scores, _) = pad_packed_sequence(&scores, &batch.batch_sizes, true, f64::NEG_INFINITY, 0)?;
    let (padded, _) = pad_packed_sequence(x, &batch.batch_sizes, true, 0.0, 0)?;
    let weighted = padded.f_mul(&scores.f_softmax(1, None::<Kind>).torch()?).torch()?;
    weighted.f_sum_dim_intlist(1_i64, false, None::<Kind>).torch()
}
