//! The text classifier over libtorch: embedding, recurrent stack, pooling over real tokens, linear layer.
//!
//! Whole chunks of batches run in one call, so that a caller can move them off its main thread.

mod batch;
mod config;
mod model;
mod resume;
mod state;
mod step;

pub use batch::Chunk;
pub use config::{CellKind, ClassifierConfig, Pooling};
pub use step::{Stats, StepOptions};

use crate::Result;
use crate::optim::{Optimizer, OptimizerKind};
use crate::random::Generator;
use model::Model;
use tch::Device;

/// A classifier with its weights, its random generator and, once trained, its optimizer.
pub struct Classifier {
    config: ClassifierConfig,
    model: Model,
    /// Draws the dropout masks.
    generator: Generator,
    optimizer: Option<(OptimizerKind, Optimizer)>,
    steps: Steps,
}

/// Steps that were made: by whatever optimizer, by the one there is, and by its state of the embedding, which may be frozen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Steps {
    all: u64,
    seen: u64,
    words: u64,
}

impl Classifier {
    /// Makes a classifier with initial values drawn from the seed, the same that PyTorch's `nn.Embedding`, recurrent layer
    /// and `nn.Linear`, constructed in this order after `torch.manual_seed(seed)`, draw on the CPU.
    pub fn new(config: ClassifierConfig) -> Result<Self> {
        config.check()?;
        let mut generator = Generator::new(Device::Cpu, config.seed)?;
        let model = Model::new(&config, &mut generator)?;
        if config.device != Device::Cpu {
            generator = Generator::new(config.device, config.seed)?;
        }
        Ok(Self { config, model, generator, optimizer: None, steps: Steps::default() })
    }

    /// What it was made with.
    pub fn config(&self) -> &ClassifierConfig {
        &self.config
    }

    /// Bytes that weights and optimizer state take, and the gradients while it trains.
    pub fn bytes(&self) -> usize {
        let weights: usize = self.model.parameters().map(crate::tensor::bytes).sum();
        weights + self.optimizer.as_ref().map_or(0, |(_, optimizer)| optimizer.state_bytes() + weights)
    }
}
