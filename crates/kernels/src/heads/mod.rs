//! The heads, one file each.

mod classes;
pub mod crf;
pub(crate) mod head;
mod linear;
pub(crate) mod losses;
pub(crate) mod pass;
mod tags;
#[cfg(feature = "training")]
pub(crate) mod targets;
#[cfg(feature = "training")]
pub(crate) mod training;

/// Without the feature `training`, a head only predicts.
#[cfg(not(feature = "training"))]
pub(crate) mod training {
    pub(crate) trait HeadTraining {}

    impl<H> HeadTraining for H {}
}

use head::Head;

use crate::recurrent::segments::Blocks;
use recurra_core::{Decoder, HeadConfig, NetworkConfig};

/// The head of a configuration, for outputs of this width. Its parameters start at `offset`, which is advanced past
/// them.
pub(crate) fn of(config: &NetworkConfig, output: Blocks, offset: &mut usize) -> Box<dyn Head> {
    match &config.head {
        HeadConfig::Classes(classes) => Box::new(classes::Classes::new(classes, output, offset)),
        HeadConfig::Tags(tags) => {
            let dropout = config.encoder.dropouts.of_outputs() > 0.0;
            let tokens = |offset: &mut usize| tags::Tokens::new(tags.tags, output, dropout, offset);
            match tags.decoder {
                Decoder::Softmax => Box::new(tags::Softmax { tokens: tokens(offset) }),
                Decoder::Adaptive => Box::new(tags::Adaptive::new(tags.tags, output, dropout, offset)),
                Decoder::Crf => Box::new(tags::Chain::new(tokens(offset), tags.forbidden.as_ref(), offset)),
            }
        }
    }
}
