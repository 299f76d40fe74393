//! PyTorch's initial values, drawn in the order of its constructors.
//!
//! After `torch.manual_seed(s)` PyTorch's `nn.Embedding`, `nn.LSTM` and `nn.Linear` draw the same numbers as these
//! functions with a [`Generator`] of seed `s` on the CPU.

use crate::Result;
use crate::error::IntoResult;
use crate::random::Generator;
use tch::{Device, Kind, Tensor};

fn empty(shape: &[i64]) -> Result<Tensor> {
    Tensor::f_empty(shape, (Kind::Float, Device::Cpu)).torch()
}

/// `nn.Embedding`: N(0, 1), the padding row zero. `[rows, dims]`.
pub fn embedding(rows: i64, dims: i64, padding: Option<i64>, generator: &mut Generator) -> Result<Tensor> {
    let weight = empty(&[rows, dims])?;
    generator.normal(&weight, 0.0, 1.0)?;
    if let Some(row) = padding {
        let _ = weight.f_select(0, row).torch()?.f_zero_().torch()?;
    }
    Ok(weight)
}

/// `nn.RNN`, `nn.LSTM`, `nn.GRU`: each parameter U(-1/sqrt(hidden), 1/sqrt(hidden)), in the order of registration.
pub fn recurrent(shapes: &[Vec<i64>], hidden: i64, generator: &mut Generator) -> Result<Vec<Tensor>> {
    let bound = 1.0 / (hidden as f64).sqrt();
    shapes
        .iter()
        .map(|shape| {
            let weight = empty(shape)?;
            generator.uniform(&weight, -bound, bound)?;
            Ok(weight)
        })
        .collect()
}

/// `nn.Linear`: weight `[outputs, inputs]` by Kaiming's uniform rule with a = sqrt(5), bias U(+-1/sqrt(inputs)).
pub fn linear(outputs: i64, inputs: i64, generator: &mut Generator) -> Result<(Tensor, Tensor)> {
    let weight = linear_weight(outputs, inputs, generator)?;
    let bias = empty(&[outputs])?;
    let bound = 1.0 / (inputs as f64).sqrt();
    generator.uniform(&bias, -bound, bound)?;
    Ok((weight, bias))
}

/// `nn.Linear` without bias.
pub fn linear_weight(outputs: i64, inputs: i64, generator: &mut Generator) -> Result<Tensor> {
    // The steps of torch.nn.init.kaiming_uniform_, so that the bound has the same last bit.
    let fan_in = inputs as f64;
    let gain = (2.0 / (1.0 + 5.0_f64.sqrt().powi(2))).sqrt();
    let bound = 3.0_f64.sqrt() * (gain / fan_in.sqrt());
    let weight = empty(&[outputs, inputs])?;
    generator.uniform(&weight, -bound, bound)?;
    Ok(weight)
}
