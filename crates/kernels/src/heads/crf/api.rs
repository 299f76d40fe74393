//! A CRF for callers with slices: emissions and tags of a batch in packed order.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use recurra_core::layout::PackedLayout;
use recurra_core::{Error, ErrorCode, Result};

use super::backward::{Marginals, border_grads, emission_grads, transition_grads};
use super::forward::Forward;
use super::scores::{Crf, CrfMats, check_length};
use super::viterbi::Viterbi;
use crate::simd::gemm::Mat;
use crate::simd::{Buf, dispatch, zeros};
use crate::threads::{Member, Pool};

/// The losses of a batch and the gradients of their sum.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// The negative logarithm of the probability of each row's right path, in sorted order.
    pub losses: Vec<f64>,
    /// `[positions, tags]`
    pub emissions: Vec<f32>,
    /// `[tags]`
    pub start: Vec<f32>,
    /// `[tags]`
    pub end: Vec<f32>,
    /// `[from, to]`
    pub between: Vec<f32>,
}

/// The buffers of a batch.
struct Space {
    emissions: Buf,
    others: [Buf; 4],
    mats: CrfMats,
}

impl Space {
    fn new(crf: &Crf, layout: &PackedLayout, values: &[f32]) -> Self {
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
fn unpadded(crf: &Crf, rows: &[f32]) -> Vec<f32> {
    let mut values = zeros(rows.len() / crf.stride * crf.tags);
    for (to, from) in values.chunks_exact_mut(crf.tags).zip(rows.chunks_exact(crf.stride)) {
        to.copy_from_slice(&from[..crf.tags]);
    }
    values
}

impl Crf {
    /// The losses of the right paths and the gradients of their sum, the same for any number of threads.
    ///
    /// `emissions` are `[positions, tags]`, `gold` the right tag of each position. A path with a forbidden transition
    /// ([`Crf::first_forbidden`]) has a loss of about 1e30.
    ///
    /// # Errors
    /// `InvalidShape` when a length does not fit the layout, `OutOfRange` for a tag that is not there.
    pub fn gradients(&self, pool: &Pool, layout: &PackedLayout, emissions: &[f32], gold: &[u32]) -> Result<Gradients> {
        self.check_emissions(layout, emissions)?;
        check_length("gold", gold.len(), layout.total())?;
        if let Some((at, tag)) = gold.iter().enumerate().find(|&(_, &tag)| tag as usize >= self.tags) {
            let message = format!("tag {tag} of position {at} is not below the number of tags, {}", self.tags);
            return Err(Error::new(ErrorCode::OutOfRange, message));
        }
        let space = Space::new(self, layout, emissions);
        let mats = space.mats;
        let losses: Vec<AtomicU64> = (0..layout.rows()).map(|_| AtomicU64::new(0)).collect();
        let square = self.stride * self.stride;
        let (mut between, mut exact) = (Buf::zeros(square), Buf::zeros(square));
        let to = [&mut between, &mut exact].map(|buf| Mat::new(buf, self.stride));
        let slices = layout.slices(pool.size());
        pool.run(|member| {
            let rows = slices[member.rank()].clone();
            let finish = |row: usize, total: f64| {
                losses[row].store((total - self.path_score(layout, mats.emissions, row, gold)).to_bits(), Relaxed);
            };
            dispatch(Forward { crf: self, layout, mats, rows: rows.clone(), finish });
            dispatch(Marginals { crf: self, layout, mats, rows: rows.clone() });
            // SAFETY: the matrices have a row for each position; members have different rows.
            unsafe { emission_grads(self, layout, mats, rows, gold, 1.0) };
            member.meet();
            let from = member.share(self.stride, 16);
            // SAFETY: all rows went back; members have different tags.
            unsafe { transition_grads(self, layout, mats, gold, 1.0, from, to) };
        });
        let (mut start, mut end) = (zeros(self.tags), zeros(self.tags));
        // SAFETY: the team is done.
        unsafe { border_grads(layout, mats, gold, 1.0, 0..self.tags, [&mut start, &mut end]) };
        Ok(Gradients {
            losses: losses.into_iter().map(|bits| f64::from_bits(bits.into_inner())).collect(),
            emissions: unpadded(self, &space.emissions),
            start,
            end,
            between: unpadded(self, &between[..self.tags * self.stride]),
        })
    }

    /// The probability of each tag at each position, `[positions, tags]`, and for each row, in sorted order, the logarithm of the
    /// sum over all paths.
    ///
    /// # Errors
    /// As [`Crf::gradients`].
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

    /// The most probable path of each row: a tag for each position. Of equally good tags the first is taken.
    ///
    /// # Errors
    /// As [`Crf::gradients`].
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

    fn check_emissions(&self, layout: &PackedLayout, emissions: &[f32]) -> Result<()> {
        check_length("emissions", emissions.len(), layout.total().saturating_mul(self.tags))
    }
}
