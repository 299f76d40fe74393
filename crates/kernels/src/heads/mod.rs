//! The heads: what stands on an encoder, one file each.

mod classes;
pub(crate) mod head;
mod losses;
pub(crate) mod targets;

use head::Head;

use crate::classifier::ClassifierConfig;
use crate::recurrent::segments::Blocks;

/// The head of a configuration, on outputs of this width. Its parameters lie from `offset` on, which moves behind them.
pub(crate) fn of(config: &ClassifierConfig, output: Blocks, offset: &mut usize) -> Box<dyn Head> {
    Box::new(classes::Classes::new(config.num_classes, config.multi_label, config.pooling, output, offset))
}
