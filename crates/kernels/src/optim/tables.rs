//! The closed form of the steps that a row without gradients skips.
//!
//! A row that was last updated at step `s`, with states `m` and `v`, changes at step `n = s + k` by `w_n r^k m /
//! (sqrt(v) + e_n c^k)` with `w_n = lr_n sqrt(1 - b2^n) / (1 - b1^n)`, `r = b1 / sqrt(b2)`, `e_n = eps sqrt(1 - b2^n)`
//! and `c = 1 / sqrt(b2)`. Only the small term `e_n c^k` prevents the sum over `n` from being one number times `m /
//! sqrt(v)`. So three sums are kept for every `s`: of the weights `w_n r^k`, and of the weights times `e_n c^k` and its
//! square. The sum of the quotients follows by expansion around the weighted mean of `e_n c^k`: the first-order error
//! is zero by the choice of the mean, and the second-order term is the variance.
//!
//! Because `r^k` fades (0.9^200 = 1e-9), a step changes only the sums of the last few hundred `s`. Learning rate
//! schedules need nothing else, because `w_n` is specific to each step.
//!
//! Float32 loses something that exact sums keep: a step below half a unit in the last place does not change the weight,
//! so `torch.optim` never applies the last part of a fading run of steps, about `9 h` for `h` half a unit. That is
//! systematic and accumulates over a long training, so the sums here omit the same part ([`Tables::lost`]). AdamW's
//! factor `d_n = 1 - lr_n wd` is part of the same recurrence; its logarithm is summed for the steps beyond. SGD's
//! momentum is the special case of a constant `v`: only the first sum is used.

use recurra_core::{AdamOptions, Algorithm, SgdOptions};

/// Below this share of the first skipped step, further steps are negligible in float32.
const FADED: f64 = 1e-10;

/// Rows last updated before this step may need the step-by-step replay: `e_n c^k` varies there, and if `sqrt(v)` is not
/// much larger, the third order of the expansion matters.
const EARLY: u32 = 300;

/// Rows last updated before this step are always replayed.
const ALWAYS: u32 = 32;

/// Runs of at most this many skipped steps are also replayed, which rounds each step as `torch.optim` does. Rows that
/// repeatedly skip a few steps accumulate rounding errors; the same errors are closer to PyTorch than smaller ones.
const SHORT: u32 = 16;

/// Share of the first skipped step below which the replay stops.
const REPLAYED: f64 = 3e-8;

/// The replay is used for roots of `v` below this many means of `e_n c^k`. At the bound, the third order is `(0.13 /
/// 9)^3` of an update at step 32 and less later: below 2e-7 for usual learning rates.
const NEAR: f32 = 8.0;

/// How a row's weights and states change over skipped steps. Adam: `p = shrink p - m (...)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missed {
    /// Sum of the weights, including the shrinking.
    pub sum: f32,
    /// Mean of `e_n c^k`.
    pub eps: f32,
    /// Variance of `e_n c^k`.
    pub variance: f32,
    /// Factor of the weights over the skipped steps.
    pub shrink: f32,
    /// Factors of `m` and `v`.
    pub fade_m: f32,
    pub fade_v: f32,
    /// Weight of the last skipped step alone: `w_n r^k`, shrunk like `sum`.
    pub last: f32,
    /// Number of steps to replay one by one, and the factor for the rest, if the root of `v` is below `near`.
    pub replay: u32,
    pub rest: f32,
    pub near: f32,
}

/// The factors of one step for the step-by-step replay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneStep {
    pub size: f32,
    pub root: f32,
    pub shrink: f32,
}

/// The sums, indexed by `s - base`.
pub(crate) struct Tables {
    /// Number of steps so far.
    now: u32,
    base: u32,
    window: usize,
    /// Maximum number of replayed steps.
    replayed: u32,
    /// Weight of the last step.
    weight: f64,
    /// Part of a fading run that float32 loses, for a last step of size `u`: `lost.0 h - lost.1 u`.
    pub lost: (f32, f32),
    sums: [Vec<f64>; 3],
    /// `r^k`, `(r c)^k`, `(r c^2)^k` for `k = window .. 1`, in the order of ascending `s`.
    powers: [Vec<f64>; 3],
    /// Logarithm of the product of all `d_n` up to each step.
    log_shrink: Vec<f64>,
    steps: Vec<OneStep>,
    /// Learning rates of the steps, from which the tables can be rebuilt.
    rates: Vec<f64>,
    fades: Vec<(f32, f32)>,
    rule: Rule,
    /// Factors of `m` and `v` for one step.
    fade: (f64, f64),
}

/// The factors of `m` and `v` in float32 arithmetic: the options rounded as in `torch.optim`.
fn factors(o: &AdamOptions) -> (f64, f64) {
    (1.0 - f64::from((1.0 - o.beta1) as f32), f64::from(o.beta2 as f32))
}

#[derive(Clone, Copy)]
enum Rule {
    Adam(AdamOptions, bool),
    Sgd(SgdOptions),
}

impl Tables {
    /// Creates tables at step `now`, where all rows are up to date.
    pub fn new(algorithm: &Algorithm, now: u32) -> Self {
        let (rule, fade) = match *algorithm {
            Algorithm::Adam(o) => (Rule::Adam(o, false), factors(&o)),
            Algorithm::AdamW(o) => (Rule::Adam(o, true), factors(&o)),
            Algorithm::Sgd(o) => (Rule::Sgd(o), (f64::from(o.momentum as f32), 1.0)),
        };
        let (r, c) = (fade.0 / fade.1.sqrt(), 1.0 / fade.1.sqrt());
        let until = |share: f64| if r > 0.0 { (share.ln() / r.ln()).ceil() as usize } else { 1 };
        // The first step below h is on average h (1 - r) / -ln r; the rest of the run is geometric.
        let lost = if r > 0.0 { ((-1.0 / r.ln()) as f32, (r / (1.0 - r)) as f32) } else { (0.0, 0.0) };
        let (window, replayed) = (until(FADED), until(REPLAYED) as u32);
        let powers = [r, r * c, r * c * c].map(|x| (1..=window).rev().map(|k| x.powi(k as i32)).collect());
        let fades = (0..2048).map(|k| (fade.0.powi(k) as f32, fade.1.powi(k) as f32)).collect();
        Self {
            now,
            base: now,
            window,
            replayed,
            weight: 0.0,
            lost,
            sums: [vec![0.0], vec![0.0], vec![0.0]],
            powers,
            log_shrink: vec![0.0],
            steps: Vec::new(),
            rates: Vec::new(),
            fades,
            rule,
            fade,
        }
    }

    /// Number of steps so far.
    pub fn now(&self) -> u32 {
        self.now
    }

    /// The step before the first one in the tables.
    pub fn base(&self) -> u32 {
        self.base
    }

    /// Learning rates of the steps in the tables. Pushed to new tables with the same base, they give identical bits.
    pub fn rates(&self) -> &[f64] {
        &self.rates
    }

    /// Number of steps in the tables.
    pub fn len(&self) -> usize {
        self.log_shrink.len()
    }

    /// Appends a step.
    pub fn push(&mut self, lr: f64) {
        self.now += 1;
        self.rates.push(lr);
        let n = f64::from(self.now);
        let (weight, eps, shrink) = match self.rule {
            Rule::Adam(o, decoupled) => {
                let (first, second) = (1.0 - o.beta1.powf(n), (1.0 - o.beta2.powf(n)).sqrt());
                // Rounded as in the dense step: over a thousand steps, the difference would matter.
                let shrink = if decoupled { f64::from((1.0 - lr * o.weight_decay) as f32) } else { 1.0 };
                self.steps.push(OneStep {
                    size: (lr / first) as f32,
                    root: (1.0 / second) as f32,
                    shrink: shrink as f32,
                });
                (lr * second / first, o.eps * second, shrink)
            }
            Rule::Sgd(o) => (if o.nesterov { lr * o.momentum } else { lr }, 0.0, 1.0),
        };
        let held = self.sums[0].len();
        let moved = held.min(self.window);
        self.weight = weight;
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

    /// The steps that a row last updated at step `since` has skipped. `still` tells that its state is zero.
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
            last: 0.0,
            eps: 1.0,
            variance: 0.0,
            shrink: ratio(at) as f32,
            fade_m,
            fade_v,
            replay: 0,
            rest: rest as f32,
            near: 0.0,
        };
        let sum = self.sums[0][at];
        if still || sum == 0.0 {
            return missed;
        }
        missed.sum = (sum * rest) as f32;
        if k as usize <= self.window {
            missed.last = (self.weight * self.powers[0][self.window - k as usize]) as f32;
        }
        if let Rule::Adam(..) = self.rule {
            let mean = self.sums[1][at] / sum;
            missed.eps = mean as f32;
            missed.variance = (self.sums[2][at] / sum - mean * mean).max(0.0) as f32;
            if k <= SHORT || since < EARLY {
                missed.replay = k.min(self.replayed);
                // The replay includes its shrinking; the rest applies after it.
                missed.rest = ratio(at + missed.replay as usize) as f32;
                missed.near = if k <= SHORT || since < ALWAYS { f32::INFINITY } else { NEAR * missed.eps };
            }
        }
        missed
    }

    #[cold]
    fn faded(&self, k: u32) -> (f32, f32) {
        (self.fade.0.powf(f64::from(k)) as f32, self.fade.1.powf(f64::from(k)) as f32)
    }

    /// The factors of a step, from 1.
    pub fn step(&self, step: u32) -> OneStep {
        self.steps[(step - self.base) as usize - 1]
    }

    /// Whether only the first sum is needed (SGD).
    pub fn plain(&self) -> bool {
        matches!(self.rule, Rule::Sgd(_))
    }

    /// Factors of `m` and of the root of `v` for one skipped step, and eps.
    pub fn decay(&self) -> (f32, f32, f32) {
        let eps = if let Rule::Adam(o, _) = self.rule { o.eps as f32 } else { 0.0 };
        (self.fade.0 as f32, self.fade.1.sqrt() as f32, eps)
    }
}
