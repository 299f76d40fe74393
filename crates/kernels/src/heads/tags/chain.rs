//! CRF head: all tokens of a row together.

use super::ANSWER;
use super::tokens::{ANSWERS, SCORES, Tokens};
use crate::encoder::encoded::{Needs, blocks};
use crate::heads::crf::{self, Allowed, CrfMats, Forward, Marginals};
use crate::heads::head::Head;
use crate::heads::pass::{Aim, HeadMats, HeadPacks, HeadPass, HeadSpace, Unit};
use crate::pool::space::{Mats, NO_MATS};
use crate::recurrent::segments::{Blocks, Segment};
use crate::simd::dispatch;
use recurra_core::Forbidden;

#[cfg(feature = "training")]
mod training;

/// Buffer indices after those of [`Tokens`]: the matrices of [`CrfMats`], and the contribution of exact positions to
/// the gradient of the transitions.
const ALPHA: usize = 3;
const SUMS: usize = 4;
const MARGINALS: usize = 5;
const EXACT: usize = 6;
const EXACT_GRADS: usize = 7;

/// The scores of tags and of their transitions.
pub(crate) struct Chain {
    tokens: Tokens,
    start: Segment,
    end: Segment,
    /// `[from, to]`
    between: Segment,
    /// Allowed first tags, last tags, and transitions `[from, to]`.
    allowed: Option<[Vec<bool>; 3]>,
}

impl Chain {
    /// Its own parameters start at `offset`, which is advanced past them.
    pub fn new(tokens: Tokens, forbidden: Option<&Forbidden>, offset: &mut usize) -> Self {
        let tags = Blocks::new(1, tokens.tags);
        let start = Segment::vector("crf.start_transitions".into(), tags, offset);
        let end = Segment::vector("crf.end_transitions".into(), tags, offset);
        let between = Segment::matrix("crf.transitions".into(), tags, tags, offset);
        let not = |flags: &Vec<bool>| flags.iter().map(|flag| !flag).collect();
        let allowed = forbidden.map(|forbidden| [&forbidden.start, &forbidden.end, &forbidden.between].map(not));
        Self { tokens, start, end, between, allowed }
    }

    /// Runs the forward algorithm and computes the marginals.
    unsafe fn marginals(&self, pass: &HeadPass<'_>, finish: impl FnMut(usize, f64)) {
        let (crf, layout, mats, rows) = (&pass.packs.crf, pass.encoded.layout, crf_mats(&pass.mats.own), &pass.rows);
        dispatch(Forward { crf, layout, mats, rows: rows.clone(), finish });
        dispatch(Marginals { crf, layout, mats, rows: rows.clone() });
    }
}

fn crf_mats(own: &Mats) -> CrfMats {
    CrfMats { emissions: own[SCORES], alpha: own[ALPHA], sums: own[SUMS], marginals: own[MARGINALS], exact: own[EXACT] }
}

impl Head for Chain {
    fn needs(&self) -> Needs {
        Needs::Outputs
    }

    fn unit(&self) -> Unit {
        Unit::Token
    }

    fn outputs(&self) -> usize {
        self.tokens.tags
    }

    fn answer_width(&self) -> usize {
        ANSWER
    }

    fn segments(&self) -> Vec<&Segment> {
        let mut segments = self.tokens.segments().to_vec();
        segments.extend([&self.start, &self.end, &self.between]);
        segments
    }

    /// The linear layer and the transitions.
    fn pieces(&self) -> usize {
        2
    }

    unsafe fn pack(&self, packs: *mut HeadPacks, piece: usize, flat: &[f32], backward: bool) {
        if piece == 0 {
            // SAFETY: by the caller's promise.
            return unsafe { self.tokens.pack(packs, flat, backward) };
        }
        let of = |segment: &Segment| &flat[segment.offset..][..segment.size()];
        let allowed = self.allowed.as_ref().map(|[start, end, between]| Allowed { start, end, between });
        // SAFETY: by the caller's promise; the reference is to this field only.
        let crf = unsafe { &mut (*packs).crf };
        let between = (of(&self.between), self.between.stride());
        crf.fill(self.tokens.tags, [of(&self.start), of(&self.end)], between, allowed);
    }

    fn fit(&self, space: &mut HeadSpace, _: usize, total: usize, aim: Aim) -> HeadMats {
        let tags = self.tokens.linear.padded();
        let training = aim == Aim::Training;
        let features = if training { self.tokens.features(total) } else { (0, 0) };
        let chain = if aim == Aim::Scores { (0, 0) } else { (total, tags) };
        let own = space.own.mats([
            features,
            (total, tags),
            (if aim == Aim::Answers { total } else { 0 }, ANSWER),
            chain,
            chain,
            chain,
            (chain.0, 1),
            (if training { tags } else { 0 }, tags),
        ]);
        HeadMats { own, pool: NO_MATS, tails: NO_MATS, scores: own[SCORES], answers: own[ANSWERS] }
    }

    unsafe fn forward(&self, pass: &HeadPass<'_>) {
        for block in blocks(pass.encoded.layout, pass.rows.clone()) {
            // SAFETY: by the caller's promise.
            unsafe { self.tokens.forward(pass, block, pass.mats.scores.at(block.0, 0)) };
        }
    }

    unsafe fn predict(&self, pass: &HeadPass<'_>, aim: Aim) {
        // SAFETY: by the caller's promise.
        unsafe {
            self.forward(pass);
            if aim == Aim::Answers {
                self.marginals(pass, |_, _| {});
                let (layout, mats) = (pass.encoded.layout, crf_mats(&pass.mats.own));
                crf::path_answers(&pass.packs.crf, layout, mats, pass.rows.clone(), pass.mats.answers);
            }
        }
    }

    unsafe fn losses(&self, pass: &HeadPass<'_>, gold: &[u32], to: &mut dyn FnMut(usize, f64)) {
        let (crf, layout, mats, rows) = (&pass.packs.crf, pass.encoded.layout, crf_mats(&pass.mats.own), &pass.rows);
        let finish = |row, total| to(row, total - crf.path_score(layout, mats.emissions, row, gold));
        dispatch(Forward { crf, layout, mats, rows: rows.clone(), finish });
    }
}
