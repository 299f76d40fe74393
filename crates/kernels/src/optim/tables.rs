//! What a row without gradients misses, step by step, in closed form.
//!
//! A row that was last moved at step `s`, with state `m` and `v`, moves at step `n = s + k` by
//! `w_n r^k m / (sqrt(v) + e_n c^k)` with `w_n = lr_n sqrt(1 - b2^n) / (1 - b1^n)`, `r = b1 / sqrt(b2)`,
//! `e_n = eps sqrt(1 - b2^n)` and `c = 1 / sqrt(b2)`. Only the small `e_n c^k` keeps the sum over `n` from being one
//! number times `m / sqrt(v)`. So three sums are kept for every `s`: of the weights `w_n r^k`, and of those times
//! `e_n c^k` and its square; the sum of the quotients follows by expansion around the weighted mean of `e_n c^k`, whose
//! first-order error is zero by the choice of the mean and whose second-order term is the variance.
//!
//! Since `r^k` fades (0.9^200 = 1e-9), a step changes the sums of the last few hundred `s` only. Schedules need nothing
//! more, `w_n` is each step's own. AdamW's factor `d_n = 1 - lr_n wd` goes into the same recurrence; its logarithm is
//! summed for the steps beyond. SGD's momentum is the special case `v` = constant: only the first sum is used.

use super::{AdamOptions, Algorithm, SgdOptions};

/// Below this share of the first missed step a further one does not show in float32.
const FADED: f64 = 1e-10;

/// Steps before this one are replayed literally: there `e_n c^k` varies by more than the expansion likes.
const EARLY: u32 = 64;

/// How a row's weights and states change between two steps. Adam: `p = shrink p - m (...)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missed {
    /// Sum of the weights, already shrunk.
    pub sum: f32,
    /// Mean of `e_n c^k`.
    pub eps: f32,
    /// Variance of `e_n c^k`.
    pub variance: f32,
    /// Factor of the weights over the missed steps.
    pub shrink: f32,
    /// Factors of `m` and `v`.
    pub fade_m: f32,
    pub fade_v: f32,
    /// How many steps must be replayed one by one instead (0: closed form), and the factor for the rest.
    pub replay: u32,
    pub rest: f32,
}

/// Numbers of one early step for the literal replay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EarlyStep {
    pub size: f32,
    pub root: f32,
    pub shrink: f32,
}

/// The sums, indexed by `s - base`.
pub(crate) struct Tables {
    /// Steps made so far.
    now: u32,
    base: u32,
    window: usize,
    sums: [Vec<f64>; 3],
    /// `r^k`, `(r c)^k`, `(r c^2)^k` for `k = window .. 1`, so that they run along with `s`.
    powers: [Vec<f64>; 3],
    /// Logarithm of the product of all `d_n` up to each step.
    log_shrink: Vec<f64>,
    early: Vec<EarlyStep>,
    fades: Vec<(f32, f32)>,
    rule: Rule,
}

#[derive(Clone, Copy)]
enum Rule {
    Adam(AdamOptions, bool),
    Sgd(SgdOptions),
}

impl Tables {
    /// Tables at step `now`, where no row has missed anything.
    pub fn new(algorithm: &Algorithm, now: u32) -> Self {
        let (rule, r, c, fade) = match *algorithm {
            Algorithm::Adam(o) => (Rule::Adam(o, false), o.beta1 / o.beta2.sqrt(), 1.0 / o.beta2.sqrt(), (o.beta1, o.beta2)),
            Algorithm::AdamW(o) => (Rule::Adam(o, true), o.beta1 / o.beta2.sqrt(), 1.0 / o.beta2.sqrt(), (o.beta1, o.beta2)),
            Algorithm::Sgd(o) => (Rule::Sgd(o), o.momentum, 1.0, (o.momentum, 1.0)),
        };
        let window = if r > 0.0 { (FADED.ln() / r.ln()).ceil() as usize } else { 1 };
        let powers = [r, r * c, r * c * c].map(|x| (1..=window).rev().map(|k| x.powi(k as i32)).collect());
        let fades = (0..2048).map(|k| (fade.0.powi(k) as f32, fade.1.powi(k) as f32)).collect();
        Self {
            now,
            base: now,
            window,
            sums: [vec![0.0], vec![0.0], vec![0.0]],
            powers,
            log_shrink: vec![0.0],
            early: Vec::new(),
            fades,
            rule,
        }
    }

    /// Steps made so far.
    pub fn now(&self) -> u32 {
        self.now
    }

    /// Steps that the tables hold.
    pub fn len(&self) -> usize {
        self.log_shrink.len()
    }

    /// Adds the step after the last one.
    pub fn push(&mut self, lr: f64) {
        self.now += 1;
        let n = f64::from(self.now);
        let (weight, eps, shrink) = match self.rule {
            Rule::Adam(o, decoupled) => {
                let (first, second) = (1.0 - o.beta1.powf(n), (1.0 - o.beta2.powf(n)).sqrt());
                let shrink = if decoupled { 1.0 - lr * o.weight_decay } else { 1.0 };
                if self.now < EARLY + self.window as u32 {
                    let step = EarlyStep { size: (lr / first) as f32, root: (1.0 / second) as f32, shrink: shrink as f32 };
                    self.early.push(step);
                }
                (lr * second / first, o.eps * second, shrink)
            }
            Rule::Sgd(o) => (if o.nesterov { lr * o.momentum } else { lr }, 0.0, 1.0),
        };
        let held = self.sums[0].len();
        let moved = held.min(self.window);
        let mut factor = weight;
        for (sums, powers) in self.sums.iter_mut().zip(&self.powers) {
            let recent = &mut sums[held - moved..];
            for (sum, power) in recent.iter_mut().zip(&powers[self.window - moved..]) {
                *sum = *sum * shrink + factor * power;
            }
            sums.push(0.0);
            factor *= eps;
        }
        self.log_shrink.push(self.log_shrink[held - 1] + shrink.ln());
    }

    /// What a row that was last moved at step `since` has missed by now. `still` says that its state is zero.
    #[inline]
    pub fn missed(&self, since: u32, still: bool) -> Missed {
        let k = self.now - since;
        let at = (since - self.base) as usize;
        let end = self.len() - 1;
        let decays = matches!(self.rule, Rule::Adam(o, true) if o.weight_decay != 0.0);
        let ratio = |from: usize| if decays { (self.log_shrink[end] - self.log_shrink[from]).exp() } else { 1.0 };
        let (fade_m, fade_v) = self.fades.get(k as usize).copied().unwrap_or_else(|| self.faded(k));
        let beyond = (at + self.window).min(end);
        let rest = ratio(beyond);
        let mut missed = Missed {
            sum: 0.0,
            eps: 1.0,
            variance: 0.0,
            shrink: ratio(at) as f32,
            fade_m,
            fade_v,
            replay: 0,
            rest: rest as f32,
        };
        let sum = self.sums[0][at];
        if still || sum == 0.0 {
            return missed;
        }
        missed.sum = (sum * rest) as f32;
        if let Rule::Adam(..) = self.rule {
            if since < EARLY && self.base == 0 {
                missed.replay = k.min(self.window as u32 - 1);
                // The replay shrinks by itself; the rest is what comes after it.
                missed.rest = ratio(at + missed.replay as usize) as f32;
                return missed;
            }
            let mean = self.sums[1][at] / sum;
            missed.eps = mean as f32;
            missed.variance = (self.sums[2][at] / sum - mean * mean).max(0.0) as f32;
        }
        missed
    }

    #[cold]
    fn faded(&self, k: u32) -> (f32, f32) {
        match self.rule {
            Rule::Adam(o, _) => (o.beta1.powf(f64::from(k)) as f32, o.beta2.powf(f64::from(k)) as f32),
            Rule::Sgd(o) => (o.momentum.powf(f64::from(k)) as f32, 1.0),
        }
    }

    /// Numbers of an early step, counted from 1.
    pub fn early(&self, step: u32) -> EarlyStep {
        self.early[step as usize - 1]
    }

    /// Whether the first sum is all that counts (SGD).
    pub fn plain(&self) -> bool {
        matches!(self.rule, Rule::Sgd(_))
    }

    /// Factors of `m` and of the root of `v` for one missed step, and eps.
    pub fn decay(&self) -> (f32, f32, f32) {
        match self.rule {
            Rule::Adam(o, _) => (o.beta1 as f32, o.beta2.sqrt() as f32, o.eps as f32),
            Rule::Sgd(o) => (o.momentum as f32, 1.0, 0.0),
        }
    }
}
