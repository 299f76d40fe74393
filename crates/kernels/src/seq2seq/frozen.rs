//! Weights packed for searches and scores, and the encoder for rows that are not trained on.

use super::encoder::{gather, layers};
use super::packs::Packs;
use super::params::{Params, Table};
use super::space::{Mats, Space};
use crate::encoder::plan::{Finders, Plan};
use crate::recurrent::layers::{LayerDropout, Source, Start};
use crate::recurrent::stack::Net;
use crate::simd::Buf;
use crate::simd::gemm::{Init, Mat};
use crate::threads::Member;
use recurra_core::layout::PackedLayout;

/// Maximum size of kept projections of target units.
const TABLE_BYTES: usize = 64 << 20;

/// Weights packed for searches.
pub(super) struct Frozen {
    pub packs: Packs,
    /// The projection of each target unit, if there are few enough; otherwise empty.
    pub table: Buf,
    /// The projections of source units, for each direction of the encoder's first layer.
    sources: Vec<Buf>,
}

impl Frozen {
    pub fn new(params: &Params, flat: &[f32]) -> Self {
        let mut packs = Packs::default();
        packs.fill(params, flat);
        let few = |rows: usize, width: usize| rows.saturating_mul(width).saturating_mul(4) <= TABLE_BYTES;
        let Table { offset, rows, width } = params.target;
        let small = few(rows, params.gp);
        let mut table = Buf::zeros(if small { rows * params.gp } else { 0 });
        if small {
            let (x, bias) = (Mat::of(&flat[offset..], width), Init::Bias(packs.layers[0].bias.as_ptr()));
            let to = Mat::new(&mut table, params.gp);
            // SAFETY: the embedding and the table have a row for each unit.
            unsafe { packs.layers[0].embedded.there(x, rows, to, bias) };
        }
        let (Table { offset, rows, width }, shape) = (params.source, &params.shape);
        let dirs = if few(rows, shape.gp * shape.dirs) { shape.dirs } else { 0 };
        let mut sources: Vec<Buf> = (0..dirs).map(|_| Buf::zeros(rows * shape.gp)).collect();
        if dirs > 0 {
            let to: Vec<Mat> = sources.iter_mut().map(|buf| Mat::new(buf, shape.gp)).collect();
            let layout = PackedLayout::default();
            let net = Net { shape, packs: &packs.encoder, layout: &layout, slices: &[], aside: None };
            // SAFETY: the embedding and each table have a row for each unit.
            unsafe { net.project(&Member::alone(), 0, Mat::of(&flat[offset..], width), rows, &to) };
        }
        Self { packs, table, sources }
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        4 * (self.table.len() + self.sources.iter().map(|buf| buf.len()).sum::<usize>())
    }
}

/// Buffers of one searching or scoring thread.
#[derive(Default)]
pub(super) struct Scratch {
    pub finders: Finders,
    pub space: Space,
}

/// Runs the encoder on a batch, on the calling thread.
///
/// # Safety
/// The matrices must fit the plan and belong to this thread.
pub(super) unsafe fn encode(params: &Params, frozen: &Frozen, flat: &[f32], plan: &Plan, mats: &Mats) {
    let alone = Member::alone();
    let tables: Vec<Mat> = frozen.sources.iter().map(|buf| Mat::of(buf, params.shape.gp)).collect();
    let units: Vec<u32>;
    // SAFETY: by the caller's promise.
    unsafe {
        let mut layers = layers(params, &frozen.packs, plan, &mats.encoder, false, LayerDropout::default());
        if tables.is_empty() {
            gather(&alone, params, flat.as_ptr(), plan, &mats.encoder, None);
        } else {
            units = plan.slots.iter().map(|&slot| plan.ids[slot as usize]).collect();
            layers.source = Source::Projected { tables: &tables, slots: units.as_ptr() };
        }
        layers.forward(&alone, Start::Zeros(0..plan.layout.rows()));
    }
}
