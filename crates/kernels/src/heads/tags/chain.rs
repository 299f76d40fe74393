//! All tokens of a row together: a linear-chain CRF over their scores.

use super::ANSWER;
use super::tokens::{ANSWERS, SCORES, Tokens};
use crate::encoder::encoded::{Needs, blocks};
use crate::heads::crf::{self, Allowed, CrfMats, Forward, Marginals};
use crate::heads::head::{Aim, Back, Head, HeadMats, HeadPacks, HeadPass, HeadSpace, Tally, Unit};
use crate::heads::targets::Targets;
use crate::pool::space::{Mats, NO_MATS};
use crate::recurrent::segments::{Blocks, Segment};
use crate::simd::dispatch;
use crate::simd::gemm::Mat;
use crate::threads::Member;
use recurra_core::{Chunk, Forbidden, LossOptions, layout::PackedLayout};

/// Numbers of the buffers behind those of [`Tokens`]: the matrices of [`CrfMats`], and what exact positions add to the gradient of the
/// transitions.
const ALPHA: usize = 3;
const SUMS: usize = 4;
const MARGINALS: usize = 5;
const EXACT: usize = 6;
const EXACT_GRADS: usize = 7;

/// Initial transitions are uniform between this and its negative, as pytorch-crf's.
const BOUND: f32 = 0.1;

/// The scores of tags and of their transitions.
pub(crate) struct Chain {
    tokens: Tokens,
    start: Segment,
    end: Segment,
    /// `[from, to]`
    between: Segment,
    /// What may be first, last, and `[from, to]`.
    allowed: Option<[Vec<bool>; 3]>,
}

impl Chain {
    /// Its own parameters start at `offset`, which moves past them.
    pub fn new(tokens: Tokens, forbidden: Option<&Forbidden>, offset: &mut usize) -> Self {
        let tags = Blocks::new(1, tokens.tags);
        let start = Segment::vector("crf.start_transitions".into(), tags, offset);
        let end = Segment::vector("crf.end_transitions".into(), tags, offset);
        let between = Segment::matrix("crf.transitions".into(), tags, tags, offset);
        let not = |flags: &Vec<bool>| flags.iter().map(|flag| !flag).collect();
        let allowed = forbidden.map(|forbidden| [&forbidden.start, &forbidden.end, &forbidden.between].map(not));
        Self { tokens, start, end, between, allowed }
    }

    /// Through the layer, and forward and back along the chain.
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

    fn bound(&self, segment: &Segment, fan: usize) -> f32 {
        let own = [&self.start, &self.end, &self.between].iter().any(|own| own.offset == segment.offset);
        if own { BOUND } else { 1.0 / (fan as f32).sqrt() }
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
        HeadMats { own, pool: NO_MATS, scores: own[SCORES], answers: own[ANSWERS] }
    }

    fn targets(&self, batch: &Chunk<'_>, layout: &PackedLayout) -> Targets {
        Targets::of(batch, layout)
    }

    /// The number of tokens, as pytorch-crf's `token_mean`.
    fn divisor(&self, targets: &Targets, _: &LossOptions<'_>, _: usize) -> f64 {
        targets.labels.len() as f64
    }

    unsafe fn forward(&self, pass: &HeadPass<'_>) {
        for block in blocks(pass.encoded.layout, pass.rows.clone()) {
            // SAFETY: by the caller's promise.
            unsafe { self.tokens.forward(pass, block, pass.mats.scores.at(block.0, 0)) };
        }
    }

    unsafe fn loss(&self, pass: &HeadPass<'_>, targets: &Targets, _: &LossOptions<'_>, divisor: f64) -> Tally {
        let (layout, mats, gold) = (pass.encoded.layout, crf_mats(&pass.mats.own), &targets.labels);
        let mut tally = Tally::default();
        // SAFETY: by the caller's promise.
        unsafe {
            self.marginals(pass, |row, total| {
                tally.loss += total - pass.packs.crf.path_score(layout, mats.emissions, row, gold);
            });
            for row in pass.rows.clone() {
                for &offset in &layout.offsets()[..layout.lengths()[row] as usize] {
                    let (at, tag) = (offset + row, gold[offset + row] as usize);
                    let values = std::slice::from_raw_parts(mats.marginals.row(at), self.tokens.tags);
                    let own = values[tag];
                    // Most often it is above a half, and then above all others.
                    let largest = own > 0.5 || values.iter().all(|&value| value <= own);
                    tally.correct += u64::from(largest && (own > 0.5 || !values[..tag].contains(&own)));
                }
            }
            let factor = (1.0 / divisor) as f32;
            crf::emission_grads(&pass.packs.crf, layout, mats, pass.rows.clone(), gold, factor);
        }
        tally
    }

    unsafe fn backward(&self, pass: &HeadPass<'_>) {
        for block in blocks(pass.encoded.layout, pass.rows.clone()) {
            // SAFETY: by the caller's promise.
            unsafe { self.tokens.backward(pass, block) };
        }
    }

    unsafe fn weight_grads(&self, member: &Member<'_>, back: &Back<'_>, grads: *mut f32) {
        let (crf, layout, gold, factor) =
            (&back.packs.crf, back.encoded.layout, &back.targets.labels, (1.0 / back.divisor) as f32);
        let mats = crf_mats(&back.mats.own);
        let (share, stride) = (member.share(self.between.stride(), 16), self.between.stride());
        // SAFETY: each member writes its own rows of each parameter, and of the buffer.
        unsafe {
            self.tokens.weight_grads(member, back, grads);
            let border = |segment: &Segment| {
                std::slice::from_raw_parts_mut(grads.add(segment.offset + share.start), share.len())
            };
            let borders = [border(&self.start), border(&self.end)];
            crf::border_grads(layout, mats, gold, factor, share.clone(), borders);
            let between = Mat { ptr: grads.add(self.between.offset), stride };
            crf::transition_grads(crf, layout, mats, gold, factor, share, [between, back.mats.own[EXACT_GRADS]]);
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
}
