//! The CRF for callers with slices: emissions and tags of a batch in packed order.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use recurra_core::Result;
use recurra_core::layout::PackedLayout;

use super::forward::Forward;
use super::marginals::Marginals;
use super::scores::{Crf, CrfMats, check_length};
use super::viterbi::Viterbi;
use crate::simd::gemm::Mat;
use crate::simd::{Buf, dispatch, zeros};
use crate::threads::{Member, Pool};

/// The buffers of a batch.
pub(super) struct Space {
    pub emissions: Buf,
    others: [Buf; 4],
    pub mats: CrfMats,
}

impl Space {
    pub fn new(crf: &Crf, layout: &PackedLayout, values: &[f32]) -> Self {
        let (total, stride) = (layout.total(), crf.stride);
        let mut emissions = Buf::zeros(total * stride);
        for (to, from) in emissions.chunks_exact_mut(stride).zip(values.chunks_exact(crf.tags)) {
            to[..crf.tags].copy_from_slice(from);
        }
        let widths = [stride, stride, stride, 1];
        let mut others = widths.map(|width| Buf::zeros(total * width));
        let [alpha, sums, marginals, exact] = &mut others;
        let mat = |buf: &mut Buf| Mat::new(buf, stride);
        let mats = CrfMats {
            emissions: mat(&mut emissions),
            alpha: mat(alpha),
            sums: mat(sums),
            marginals: mat(marginals),
            exact: Mat::new(exact, 1),
        };
        Self { emissions, others, mats }
    }
}

/// The first `tags` values of each row.
pub(super) fn unpadded(crf: &Crf, rows: &[f32]) -> Vec<f32> {
    let mut values = zeros(rows.len() / crf.stride * crf.tags);
    for (to, from) in values.chunks_exact_mut(crf.tags).zip(rows.chunks_exact(crf.stride)) {
        to.copy_from_slice(&from[..crf.tags]);
    }
    values
}

impl Crf {
    /// The probability of each tag at each position, `[positions, tags]`, and for each row in sorted order, the
    /// logarithm of the partition function (the sum over all paths).
    ///
    /// # Errors
    /// `InvalidShape` if a length does not match the layout.
    pub fn marginals(&self, pool: &Pool, layout: &PackedLayout, emissions: &[f32]) -> Result<(Vec<f32>, Vec<f64>)> {
        self.check_emissions(layout, emissions)?;
        let space = Space::new(self, layout, emissions);
        let mats = space.mats;
        let sums: Vec<AtomicU64> = (0..layout.rows()).map(|_| AtomicU64::new(0)).collect();
        self.share(pool, layout, |rows| {
            let finish = |row: usize, total: f64| sums[row].store(total.to_bits(), Relaxed);
            dispatch(Forward { crf: self, layout, mats, rows: rows.clone(), finish });
            dispatch(Marginals { crf: self, layout, mats, rows });
        });
        let sums = sums.into_iter().map(|bits| f64::from_bits(bits.into_inner())).collect();
        Ok((unpadded(self, &space.others[2]), sums))
    }

    /// The most probable path of each row: a tag per position. Of equally good tags, the first is taken.
    ///
    /// # Errors
    /// As [`Crf::marginals`].
    pub fn decode(&self, pool: &Pool, layout: &PackedLayout, emissions: &[f32]) -> Result<Vec<u32>> {
        self.check_emissions(layout, emissions)?;
        let space = Space::new(self, layout, emissions);
        let emissions = space.mats.emissions;
        let tags: Vec<AtomicU32> = (0..layout.total()).map(|_| AtomicU32::new(0)).collect();
        self.share(pool, layout, |rows| {
            let found = |position: usize, tag: u32| tags[position].store(tag, Relaxed);
            dispatch(Viterbi { crf: self, layout, emissions, rows, found });
        });
        Ok(tags.into_iter().map(AtomicU32::into_inner).collect())
    }

    fn share(&self, pool: &Pool, layout: &PackedLayout, work: impl Fn(std::ops::Range<usize>) + Sync) {
        let slices = layout.slices(pool.size());
        pool.run(|member: &Member<'_>| work(slices[member.rank()].clone()));
    }

    pub(super) fn check_emissions(&self, layout: &PackedLayout, emissions: &[f32]) -> Result<()> {
        check_length("emissions", emissions.len(), layout.total().saturating_mul(self.tags))
    }
}
