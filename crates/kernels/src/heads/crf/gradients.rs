//! CRF gradients for callers with slices.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use recurra_core::layout::PackedLayout;
use recurra_core::{Error, ErrorCode, Result};

use super::api::{Space, unpadded};
use super::backward::{border_grads, emission_grads, transition_grads};
use super::forward::Forward;
use super::marginals::Marginals;
use super::scores::{Crf, check_length};
use crate::simd::gemm::Mat;
use crate::simd::{Buf, dispatch, zeros};
use crate::threads::Pool;

/// The losses of a batch and the gradients of their sum.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// The negative log-probability of each row's correct path, in sorted order.
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

impl Crf {
    /// The losses of the correct paths and the gradients of their sum. The result does not depend on the number of
    /// threads.
    ///
    /// `emissions` are `[positions, tags]`, `gold` the correct tag of each position. A path with a forbidden transition
    /// ([`Crf::first_forbidden`]) has a loss of about 1e30.
    ///
    /// # Errors
    /// `InvalidShape` if a length does not match the layout, `OutOfRange` for a tag that does not exist.
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
            // SAFETY: the backward pass of all rows has ended; members have different tags.
            unsafe { transition_grads(self, layout, mats, gold, 1.0, from, to) };
        });
        let (mut start, mut end) = (zeros(self.tags), zeros(self.tags));
        // SAFETY: the team has finished.
        unsafe { border_grads(layout, mats, gold, 1.0, 0..self.tags, [&mut start, &mut end]) };
        Ok(Gradients {
            losses: losses.into_iter().map(|bits| f64::from_bits(bits.into_inner())).collect(),
            emissions: unpadded(self, &space.emissions),
            start,
            end,
            between: unpadded(self, &between[..self.tags * self.stride]),
        })
    }
}
