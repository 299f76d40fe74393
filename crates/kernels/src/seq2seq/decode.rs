//! Runs searches, collects their results and distributes rows over the team.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLockReadGuard};

use super::frozen::{Frozen, Scratch};
use super::model::{Seq2Seq, Weights};
use super::rows::by_length;
use super::search::{Found, Search, room};
use crate::threads::Member;
use recurra_core::{DecodeOptions, Error, ErrorCode, Result};

/// Number of hypotheses processed together: enough to fill the tiles, few enough for the cache.
const TOGETHER: usize = 48;

/// The results of a search, row by row, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// Units of all results, without the end unit.
    pub units: Vec<i32>,
    /// Start of each result's units, followed by the total. `[rows * best + 1]`.
    pub starts: Vec<u32>,
    /// The log-probability of each result, including that of the end unit if it was reached; minus infinity for a
    /// missing result. `[rows * best]`.
    pub scores: Vec<f32>,
    /// For each unit of each result, a weight for each source unit of its row; empty unless requested.
    pub alignments: Vec<f32>,
}

impl Seq2Seq {
    /// Searches for the target units of some rows. Results depend neither on the number of threads nor on other rows.
    ///
    /// # Errors
    /// `OutOfRange` and `InvalidShape` for invalid rows; as [`DecodeOptions::validate`]; `Aborted` if `abort` became
    /// true.
    pub fn decode(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        options: &DecodeOptions<'_>,
        abort: Option<&AtomicBool>,
    ) -> Result<Decoded> {
        self.params.config.check_sources(tokens, lengths)?;
        options.validate(lengths.len())?;
        let weights = self.frozen()?;
        self.search(&weights, (tokens, lengths), options, abort)
    }

    /// Like [`Seq2Seq::decode`], but on the calling thread; `None` if it would have to wait. For short rows, which take
    /// less time than a thread switch.
    ///
    /// # Errors
    /// As there.
    pub fn decode_at_once(
        &self,
        tokens: &[i32],
        lengths: &[i32],
        options: &DecodeOptions<'_>,
    ) -> Result<Option<Decoded>> {
        self.params.config.check_sources(tokens, lengths)?;
        options.validate(lengths.len())?;
        match self.weights.try_read() {
            Ok(weights) if weights.frozen.is_some() => {
                self.search(&weights, (tokens, lengths), options, None).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn search(
        &self,
        weights: &Weights,
        (tokens, lengths): (&[i32], &[i32]),
        options: &DecodeOptions<'_>,
        abort: Option<&AtomicBool>,
    ) -> Result<Decoded> {
        let rows = by_length(lengths);
        let found: Vec<Mutex<Vec<Found>>> = lengths.iter().map(|_| Mutex::default()).collect();
        let many = (TOGETHER / options.beam_size).max(1);
        self.each(weights, &rows.order, many, |frozen, flat, scratch, some| {
            let search = Search { params: &self.params, frozen, flat, options, abort };
            let results = search.run(tokens, lengths, &rows.starts, some, scratch)?;
            for (&row, results) in some.iter().zip(results) {
                *found[row as usize].lock().unwrap_or_else(PoisonError::into_inner) = results;
            }
            Ok(())
        })?;
        let mut all = Decoded { starts: vec![0], ..Decoded::default() };
        for row in found {
            let mut results = row.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter();
            for _ in 0..options.best {
                match results.next() {
                    Some(found) => {
                        room(&mut all.units, found.units.len())?;
                        room(&mut all.alignments, found.alignments.len())?;
                        all.units.extend(found.units);
                        all.alignments.extend(found.alignments);
                        all.scores.push(found.score as f32);
                    }
                    None => all.scores.push(f32::NEG_INFINITY),
                }
                all.starts.push(all.units.len() as u32);
            }
        }
        Ok(all)
    }

    /// Distributes parts of the rows over the team; returns the first error.
    pub(super) fn each(
        &self,
        weights: &Weights,
        order: &[u32],
        many: usize,
        work: impl Fn(&Frozen, &[f32], &mut Scratch, &[u32]) -> Result<()> + Sync,
    ) -> Result<()> {
        let Some(frozen) = &weights.frozen else {
            return Err(Error::new(ErrorCode::Internal, "the weights changed while a search began"));
        };
        let parts: Vec<&[u32]> = order.chunks(many).collect();
        let (next, failure) = (AtomicUsize::new(0), Mutex::new(Ok(())));
        let run = |_: &Member<'_>| {
            let spare = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
            let mut scratch = spare().pop().unwrap_or_default();
            while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = work(frozen, &weights.flat, &mut scratch, part) {
                    next.store(parts.len(), Ordering::Relaxed);
                    *failure.lock().unwrap_or_else(PoisonError::into_inner) = Err(error);
                }
            }
            spare().push(scratch);
        };
        if parts.len() > 1 {
            self.pool.run_if_free(run)
        } else {
            run(&Member::alone())
        }
        failure.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The weights, packed if they have changed. A training may run in between.
    pub(super) fn frozen(&self) -> Result<RwLockReadGuard<'_, Weights>> {
        loop {
            let weights = self.read();
            if weights.frozen.is_some() {
                return Ok(weights);
            }
            drop(weights);
            let mut weights = self.write();
            weights.draw(&self.params)?;
            if weights.frozen.is_none() {
                weights.frozen = Some(Frozen::new(&self.params, &weights.flat));
            }
        }
    }
}
