//! A network over libtorch: embedding, recurrent stack, and a head, here pooling over real tokens and a linear layer.
//!
//! It takes the configuration, chunks and options of [`recurra_core`], as the CPU kernels do, and gives the same answers.
//! Whole chunks of batches run in one call, so that a caller can move them off its main thread.

mod adversarial;
mod batch;
mod loss;
mod model;
mod predict;
mod resume;
mod state;
mod step;

use crate::Result;
use crate::optim::Optimizer;
use crate::random::Generator;
use model::Model;
use recurra_core::{Algorithm, ClassesConfig, Error, ErrorCode, NetworkConfig};
use tch::Device;

/// Where and how exactly a network computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Where it computes.
    pub device: Device,
    /// Whether training computes in bfloat16 where PyTorch's autocast has it so; the weights stay float32.
    pub mixed: bool,
}

impl Default for Place {
    /// The CPU, in float32.
    fn default() -> Self {
        Self { device: Device::Cpu, mixed: false }
    }
}

/// A network with its weights, its random generator and, once trained, its optimizer.
pub struct Network {
    config: NetworkConfig,
    head: ClassesConfig,
    place: Place,
    model: Model,
    /// Draws the dropout masks.
    generator: Generator,
    optimizer: Option<(Algorithm, Optimizer)>,
    steps: Steps,
}

/// Steps that were made: by whatever optimizer, by the one there is, and by its state of the embedding, which may be frozen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Steps {
    all: u64,
    seen: u64,
    words: u64,
}

impl Network {
    /// Makes a network with initial values drawn from the seed, the same that PyTorch's `nn.Embedding`, recurrent layer
    /// and `nn.Linear`, constructed in this order after `torch.manual_seed(seed)`, draw on the CPU.
    ///
    /// # Errors
    /// As [`NetworkConfig::validate`]; `InvalidArgument` for a cell that libtorch does not have, for subwords or a head for tags.
    pub fn new(config: NetworkConfig, place: Place) -> Result<Self> {
        config.validate()?;
        config.encoder.cell.in_libtorch()?;
        if config.encoder.subwords.is_some() {
            let message = "networks with subwords run on the CPU kernels, not on libtorch: use device 'cpu'";
            return Err(Error::new(ErrorCode::InvalidArgument, message).about("subwords"));
        }
        if config.encoder.dropouts.recurrent > 0.0 {
            let message = "recurrentDropout is of the CPU kernels, not of libtorch: use device 'cpu'";
            return Err(Error::new(ErrorCode::InvalidArgument, message).about("device"));
        }
        let Some(&head) = config.classes() else {
            let message = "a network for tags runs on the CPU kernels only: leave the device to 'auto' or take 'cpu'";
            return Err(Error::new(ErrorCode::InvalidArgument, message).about("device"));
        };
        let seed = config.seed.cast_signed();
        let mut generator = Generator::new(Device::Cpu, seed)?;
        let model = Model::new(&config, head.pooling, place.device, &mut generator)?;
        if place.device != Device::Cpu {
            generator = Generator::new(place.device, seed)?;
        }
        Ok(Self { config, head, place, model, generator, optimizer: None, steps: Steps::default() })
    }

    /// What it was made with.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Bytes that weights and optimizer state take, and the gradients while it trains.
    pub fn bytes(&self) -> usize {
        let weights: usize = self.model.parameters().map(crate::tensor::bytes).sum();
        weights + self.optimizer.as_ref().map_or(0, |(_, optimizer)| optimizer.state_bytes() + weights)
    }
}
