//! The heads: what stands on an encoder, one file each.

mod classes;
pub mod crf;
pub(crate) mod head;
mod losses;
pub(crate) mod targets;

use head::Head;

use crate::recurrent::segments::Blocks;
use recurra_core::{HeadConfig, NetworkConfig};

/// The head of a configuration, on outputs of this width. Its parameters start at `offset`, which moves past them.
pub(crate) fn of(config: &NetworkConfig, output: Blocks, offset: &mut usize) -> Box<dyn Head> {
    match &config.head {
        HeadConfig::Classes(classes) => Box::new(classes::Classes::new(classes, output, offset)),
    }
}
