//! Parameters and forward pass.

use super::batch::{Packed, Places};
use crate::Result;
use crate::autograd::{is_grad_enabled, set_requires_grad};
use crate::error::IntoResult;
use crate::packing::pad_packed_sequence;
use crate::random::Generator;
use crate::recurrent::{Options, Packing, flatten_weights, rnn_by_operators};
use crate::{functional, init};
use recurra_core::{EncoderConfig, Error, ErrorCode, NetworkConfig, Pooling};
use std::cell::RefCell;
use tch::{Device, Kind, Tensor};

/// Parameters under PyTorch's names, in the order embedding, recurrent layers, attention (if that is the pooling), linear
/// layer.
pub(super) struct Model {
    pub named: Vec<(String, Tensor)>,
    device: Device,
    pooling: Pooling,
    /// Zeros for initial states, as many as were needed so far.
    zeros: RefCell<Tensor>,
}

impl Model {
    /// Draws the initial values on the CPU and moves them to the device.
    pub fn new(config: &NetworkConfig, pooling: Pooling, device: Device, generator: &mut Generator) -> Result<Self> {
        let NetworkConfig { encoder, .. } = config;
        let (words, dims, features) =
            (encoder.vocab_size as i64, encoder.embedding_dim as i64, encoder.features() as i64);
        let embedding = init::embedding(words, dims, encoder.padding_idx.map(i64::from), generator)?
            .f_mul_scalar(encoder.embedding_std)
            .torch()?;
        let (names, shapes): (Vec<_>, Vec<_>) = recurrent_parameters(encoder).into_iter().unzip();
        let recurrent = init::recurrent(&shapes, encoder.hidden_size as i64, generator)?;
        let mut attention = Vec::new();
        if pooling == Pooling::Attention {
            let (weight, bias) = init::linear(features, features, generator)?;
            let query = init::linear_weight(1, features, generator)?;
            let names = ["attention.proj.weight", "attention.proj.bias", "attention.query.weight"];
            attention.extend(names.map(str::to_owned).into_iter().zip([weight, bias, query]));
        }
        let (weight, bias) = init::linear(config.head.outputs() as i64, features, generator)?;

        let mut named = vec![("embedding.weight".to_owned(), embedding)];
        named.extend(names.into_iter().zip(recurrent));
        named.extend(attention);
        named.extend([("fc.weight".to_owned(), weight), ("fc.bias".to_owned(), bias)]);
        for (_, tensor) in &mut named {
            *tensor = tensor.f_to(device).torch()?;
            set_requires_grad(tensor, true)?;
        }
        let zeros = Tensor::f_zeros([0_i64], (Kind::Float, device)).torch()?;
        let model = Self { named, device, pooling, zeros: RefCell::new(zeros) };
        model.flatten(encoder)?;
        Ok(model)
    }

    /// Puts the weights of each recurrent layer together, as cuDNN wants them.
    fn flatten(&self, encoder: &EncoderConfig) -> Result<()> {
        let tensors: Vec<&Tensor> = self.parameters().collect();
        let count = recurrent_parameters(encoder).len();
        for weights in tensors[1..=count].chunks(4 * encoder.directions()) {
            flatten_weights(weights, &layer_options(encoder))?;
        }
        Ok(())
    }

    /// Zeros that are never written.
    fn zeros(&self, shape: &[i64]) -> Result<Tensor> {
        let count: i64 = shape.iter().product();
        let mut zeros = self.zeros.borrow_mut();
        if (zeros.numel() as i64) < count {
            *zeros = Tensor::f_zeros([count], (Kind::Float, self.device)).torch()?;
        }
        zeros.f_narrow(0, 0, count).torch()?.f_view(shape).torch()
    }

    /// All parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &Tensor> {
        self.named.iter().map(|(_, tensor)| tensor)
    }

    /// The batch's tokens as they are read, `[tokens]`: with a generator some are dropped.
    pub fn read(&self, config: &NetworkConfig, batch: &Packed, dropout: Option<&mut Generator>) -> Result<Tensor> {
        let words = config.encoder.dropouts.words;
        match (config.encoder.unknown_idx, dropout) {
            (Some(unknown), Some(generator)) if words > 0.0 => {
                // Chosen as dropout chooses: the words whose ones become zeros.
                let ones = Tensor::f_ones(batch.ids.size(), (Kind::Float, self.device)).torch()?;
                let dropped = generator.dropout(&ones, words)?.f_eq(0.0).torch()?;
                batch.ids.f_masked_fill(&dropped, i64::from(unknown)).torch()
            }
            _ => Ok(batch.ids.shallow_clone()),
        }
    }

    /// Vectors of tokens, `[tokens, embedding_dim]`, before any dropout.
    pub fn embed(&self, config: &NetworkConfig, ids: &Tensor) -> Result<Tensor> {
        let padding = config.encoder.padding_idx.map_or(-1, i64::from);
        Tensor::f_embedding(&self.named[0].1, ids, padding, false, false).torch()
    }

    /// Scores `[rows, outputs]` in the batch's sorted order. With a generator dropout is active.
    pub fn forward(
        &self,
        config: &NetworkConfig,
        batch: &Packed,
        mut dropout: Option<&mut Generator>,
    ) -> Result<Tensor> {
        let ids = self.read(config, batch, dropout.as_deref_mut())?;
        self.scores(config, batch, self.embed(config, &ids)?, dropout)
    }

    /// As [`Model::forward`], from the tokens' vectors.
    pub fn scores(
        &self,
        config: &NetworkConfig,
        batch: &Packed,
        embedded: Tensor,
        mut dropout: Option<&mut Generator>,
    ) -> Result<Tensor> {
        let mut drop = |x: Tensor, p: f64| match dropout.as_mut() {
            Some(generator) => generator.dropout(&x, p),
            None => Ok(x),
        };
        let NetworkConfig { encoder, .. } = config;
        let (hidden, features) = (encoder.hidden_size as i64, encoder.features() as i64);
        let dropouts = encoder.dropouts;
        let tensors: Vec<&Tensor> = self.parameters().collect();
        let (rest, head) = tensors[1..].split_at(tensors.len() - 3);
        let (recurrent, attention) = rest.split_at(recurrent_parameters(encoder).len());

        let mut x = drop(embedded, dropouts.embedding)?;
        let zeros = self.zeros(&[encoder.directions() as i64, batch.rows(), hidden])?;
        let state = vec![&zeros; encoder.cell.states()];
        // One layer at a time, so that the masks between layers come from this network's generator too.
        let options = layer_options(encoder);
        let packing = Packing::new(&batch.batch_sizes, None);
        let mut last = None;
        for weights in recurrent.chunks(4 * encoder.directions()) {
            if last.is_some() {
                x = drop(x, dropouts.layers)?;
            }
            let h;
            (x, h) = outputs_and_state(rnn_by_operators(&x, Some(packing), &state, weights, &options)?)?;
            last = Some(h);
        }
        let pooled = match self.pooling {
            Pooling::Last => {
                let h = last.ok_or_else(|| fault("a network without recurrent layers has no last state"))?;
                h.f_permute([1_i64, 0, 2]).torch()?.f_reshape([batch.rows(), features]).torch()?
            }
            Pooling::Mean => {
                let zeros = self.zeros(&[batch.rows(), features])?;
                let places = batch.places.as_ref().ok_or_else(|| fault("the batch was not packed for a mean"))?;
                mean_over_tokens(&x, zeros, places)?
            }
            Pooling::Max => {
                let (padded, _) = pad_packed_sequence(&x, &batch.batch_sizes, true, f64::NEG_INFINITY, 0)?;
                padded.f_max_dim(1, false).torch()?.0
            }
            Pooling::Attention => attend(&x, batch, attention)?,
        };
        as_float(functional::linear(&drop(pooled, dropouts.of_outputs())?, head[0], Some(head[1]))?)
    }
}

/// Of one layer.
fn layer_options(encoder: &EncoderConfig) -> Options {
    Options {
        cell: encoder.cell,
        has_biases: true,
        num_layers: 1,
        dropout: 0.0,
        // cuDNN keeps what its backward pass needs only when told that it trains.
        train: is_grad_enabled(),
        bidirectional: encoder.bidirectional,
        batch_first: true,
    }
}

fn fault(message: &str) -> Error {
    Error::new(ErrorCode::Internal, message)
}

/// What a layer gave: its outputs and the final hidden states, both in float32. Autocast leaves them in bfloat16; what follows
/// adds up, and does so exactly.
fn outputs_and_state(given: Vec<Tensor>) -> Result<(Tensor, Tensor)> {
    let mut given = given.into_iter();
    match (given.next(), given.next()) {
        (Some(x), Some(h)) => Ok((as_float(x)?, as_float(h)?)),
        _ => Err(fault("a recurrent layer gave no final state")),
    }
}

/// Names and shapes of the recurrent parameters, in PyTorch's order.
fn recurrent_parameters(encoder: &EncoderConfig) -> Vec<(String, Vec<i64>)> {
    let hidden = encoder.hidden_size as i64;
    let stacked = encoder.cell.gates() as i64 * hidden;
    let mut parameters = Vec::new();
    for layer in 0..encoder.num_layers {
        let inputs = (if layer == 0 { encoder.embedding_dim } else { encoder.features() }) as i64;
        for side in ["", "_reverse"].into_iter().take(encoder.directions()) {
            let name = |part: &str| format!("rnn.{part}_l{layer}{side}");
            parameters.push((name("weight_ih"), vec![stacked, inputs]));
            parameters.push((name("weight_hh"), vec![stacked, hidden]));
            parameters.push((name("bias_ih"), vec![stacked]));
            parameters.push((name("bias_hh"), vec![stacked]));
        }
    }
    parameters
}

fn as_float(x: Tensor) -> Result<Tensor> {
    if x.f_kind().torch()? == Kind::Float { Ok(x) } else { x.f_to_kind(Kind::Float).torch() }
}

/// `zeros` are `[rows, features]`.
fn mean_over_tokens(x: &Tensor, zeros: Tensor, places: &Places) -> Result<Tensor> {
    let sums = zeros.f_index_add(0, &places.row_of_position, x).torch()?;
    sums.f_div(&places.lengths).torch()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_without_a_final_state_is_a_fault_and_no_mean_in_its_place() {
        let x = || Tensor::zeros([2, 3], (Kind::BFloat16, Device::Cpu));
        for given in [vec![], vec![x()]] {
            assert_eq!(outputs_and_state(given).unwrap_err().code(), ErrorCode::Internal);
        }
        let (outputs, state) = outputs_and_state(vec![x(), x()]).unwrap();
        assert_eq!((outputs.kind(), state.kind()), (Kind::Float, Kind::Float));
    }
}
