//! What training holds from chunk to chunk.

use super::packs::Packs;
use super::plan::PairFinders;
use super::space::Space;

/// Buffers that live from chunk to chunk.
#[derive(Default)]
pub(super) struct TrainSpace {
    pub space: Space,
    pub packs: Packs,
    pub finders: Vec<PairFinders>,
    pub losses: Vec<f64>,
    pub right: Vec<bool>,
    pub squares: Vec<f64>,
    pub units: Vec<u32>,
}
