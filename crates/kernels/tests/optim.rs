//! Compares optimizers with `torch.optim` (`golden/adam*`, `golden/sgd_momentum`): dense and deferred steps.
#![cfg(feature = "training")]

mod common;

use std::f64::consts::PI;
use std::path::Path;

use common::{Golden, difference, fixtures, json, shared};
use recurra_core::{AdamOptions, Algorithm, SgdOptions};
use recurra_kernels::optim::{Dense, LateRows};
use serde_json::Value;

const TOLERANCE: f32 = 1e-6;

fn algorithm(case: &Value) -> Algorithm {
    let weight_decay = case["weight_decay"].as_f64().unwrap_or(0.0);
    let amsgrad = case["amsgrad"].as_bool().unwrap_or(false);
    let adam = AdamOptions { weight_decay, amsgrad, ..AdamOptions::default() };
    match case["optimizer"].as_str().unwrap() {
        "Adam" => Algorithm::Adam(adam),
        "AdamW" => Algorithm::AdamW(adam),
        _ => Algorithm::Sgd(SgdOptions { momentum: case["momentum"].as_f64().unwrap_or(0.0), ..SgdOptions::default() }),
    }
}

fn rate(case: &Value, step: usize) -> f64 {
    let lr = case["lr"].as_f64().unwrap();
    match case["schedule"][1]["T_max"].as_f64() {
        Some(length) => lr * (1.0 + (PI * step as f64 / length).cos()) / 2.0,
        None => lr,
    }
}

/// The distinct rows of a step and the sums of their gradients, as computed for a batch.
fn gather(ids: &[i64], grads: &[f32], dims: usize) -> (Vec<u32>, Vec<f32>) {
    let (mut rows, mut sums): (Vec<u32>, Vec<f32>) = (Vec::new(), Vec::new());
    for (&id, grad) in ids.iter().zip(grads.chunks_exact(dims)) {
        let at = rows.iter().position(|&row| i64::from(row) == id).unwrap_or_else(|| {
            rows.push(id as u32);
            sums.resize(sums.len() + dims, 0.0);
            rows.len() - 1
        });
        sums[at * dims..][..dims].iter_mut().zip(grad).for_each(|(sum, g)| *sum += g);
    }
    (rows, sums)
}

fn check(case: &Value, folder: &Path) {
    let name = case["name"].as_str().unwrap();
    let golden = Golden::open(&folder.join(format!("{name}.safetensors")));
    let (rows, dims) = (case["rows"].as_u64().unwrap() as usize, case["dims"].as_u64().unwrap() as usize);
    let (ids, grads) = (golden.i64("ids"), golden.f32("weight_on_rows"));
    let algorithm = algorithm(case);
    let steps = case["steps"].as_u64().unwrap() as usize;
    let per_step = ids.len() / steps;
    let snapshot = |step: usize| golden.get(&format!("weight.{step}")).map(|(values, _)| values);

    let mut dense = Dense::new(algorithm, rows * dims).unwrap();
    let mut weights = golden.f32("start");
    for step in 0..steps {
        let (touched, sums) =
            gather(&ids[step * per_step..][..per_step], &grads[step * per_step * dims..][..per_step * dims], dims);
        let mut all = vec![0.0; rows * dims];
        for (row, sum) in touched.iter().zip(sums.chunks_exact(dims)) {
            all[*row as usize * dims..][..dims].copy_from_slice(sum);
        }
        dense.step(&mut weights, &all, rate(case, step), 1.0).unwrap();
        if let Some(theirs) = snapshot(step + 1) {
            let d = difference(&weights, &theirs);
            println!("{name} dense, step {}: {d:e}", step + 1);
            assert!(d <= TOLERANCE, "{name} dense, step {}: {d:e}", step + 1);
        }
    }
    if let Some(reason) = algorithm.cannot_defer() {
        println!("{name}: dense only, {reason}");
        assert!(LateRows::new(algorithm, rows, dims).is_err());
        return;
    }
    // Once with snapshots that flush, and once with flushed copies, so that the deferred state is not disturbed.
    for disturbed in [true, false] {
        let mut late = LateRows::new(algorithm, rows, dims).unwrap();
        let mut weights = golden.f32("start");
        let last = (1..=steps).rfind(|&s| snapshot(s).is_some()).unwrap();
        for step in 0..steps {
            let (touched, sums) =
                gather(&ids[step * per_step..][..per_step], &grads[step * per_step * dims..][..per_step * dims], dims);
            late.step(&mut weights, &touched, &sums, rate(case, step), 1.0).unwrap();
            if let (Some(theirs), true) = (snapshot(step + 1), disturbed || step + 1 == last) {
                late.flush(&mut weights).unwrap();
                let d = difference(&weights, &theirs);
                println!("{name} late, step {}: {d:e}", step + 1);
                assert!(d <= TOLERANCE, "{name} late, step {}: {d:e}", step + 1);
            }
        }
    }
}

#[test]
fn equals_pytorch_on_all_golden_cases() {
    let Some(folder) = shared() else {
        println!("skipped: no golden folder in RECURRA_DATA or ../shared");
        return;
    };
    let index = json(&folder.join("index.json"));
    index["adam"].as_array().unwrap().iter().for_each(|case| check(case, &folder));
}

#[test]
fn equals_pytorch_on_the_fixtures() {
    let cases = json(&fixtures().join("optim.json"));
    let cases = cases.as_array().unwrap();
    assert!(cases.len() >= 6);
    cases.iter().for_each(|case| check(case, &fixtures()));
}

/// A float64 replay of every step of one weight.
struct Exact {
    p: f64,
    m: f64,
    v: f64,
}

impl Exact {
    fn step(&mut self, o: &AdamOptions, decoupled: bool, t: i32, lr: f64, g: f64) {
        self.m += (g - self.m) * (1.0 - o.beta1);
        self.v = self.v * o.beta2 + (1.0 - o.beta2) * g * g;
        if decoupled {
            // PyTorch rounds this factor to float32, too.
            self.p *= f64::from((1.0 - lr * o.weight_decay) as f32);
        }
        let below = self.v.sqrt() / (1.0 - o.beta2.powi(t)).sqrt() + o.eps;
        self.p -= lr / (1.0 - o.beta1.powi(t)) * self.m / below;
    }
}

/// Rows updated at every age of the run, with gradients from 1 down to 1e-9 (where eps matters), brought up to date
/// after gaps of every length; constant and falling rates, Adam and AdamW.
#[test]
fn late_steps_equal_a_float64_replay() {
    let sizes = [1.0, 1e-3, 1e-5, 1e-7, 1e-8, 1e-9, -1e-2, -1e-8];
    let dims = sizes.len();
    let options = AdamOptions { weight_decay: 0.02, ..AdamOptions::default() };
    for (algorithm, decoupled) in [(Algorithm::Adam(AdamOptions::default()), false), (Algorithm::AdamW(options), true)]
    {
        let rate = |t: usize| 0.01 * if decoupled { 1.0 } else { 1.0 - t as f64 / 3000.0 };
        let touches: Vec<usize> = vec![1, 2, 5, 20, 50, 63, 64, 65, 100, 200, 300, 1000, 1900];
        for gap in [1, 3, 40, 150, 250, 900, 2500] {
            let mut late = LateRows::new(algorithm, touches.len(), dims).unwrap();
            let mut weights = vec![0.5f32; touches.len() * dims];
            let mut exact: Vec<Vec<Exact>> =
                touches.iter().map(|_| sizes.iter().map(|_| Exact { p: 0.5, m: 0.0, v: 0.0 }).collect()).collect();
            let mut worst = 0.0f64;
            for t in 1..=2600usize {
                let now: Vec<u32> = (0..touches.len())
                    .filter(|&r| t == touches[r] || t == touches[r] + gap)
                    .map(|r| r as u32)
                    .collect();
                late.catch_up(&mut weights, &now).unwrap();
                for &row in &now {
                    for (i, exact) in exact[row as usize].iter().enumerate() {
                        worst = worst
                            .max((f64::from(weights[row as usize * dims + i]) - exact.p).abs() / (1.0 + exact.p.abs()));
                    }
                }
                let grads: Vec<f32> = now.iter().flat_map(|_| sizes).collect();
                late.step(&mut weights, &now, &grads, rate(t), 1.0).unwrap();
                for (row, exact) in exact.iter_mut().enumerate() {
                    for (i, exact) in exact.iter_mut().enumerate() {
                        let g = if now.contains(&(row as u32)) { f64::from(sizes[i]) } else { 0.0 };
                        exact.step(&options, decoupled, t as i32, rate(t), g);
                    }
                }
            }
            late.flush(&mut weights).unwrap();
            for (ours, exact) in weights.iter().zip(exact.iter().flatten()) {
                worst = worst.max((f64::from(*ours) - exact.p).abs() / (1.0 + exact.p.abs()));
            }
            println!("decoupled {decoupled}, gap {gap}: {worst:e}");
            assert!(worst <= 1e-6, "decoupled {decoupled}, gap {gap}: {worst:e}");
        }
    }
}

#[test]
fn an_exported_state_goes_on_where_it_was() {
    let algorithm = Algorithm::Adam(AdamOptions::default());
    let (rows, dims) = (30, 5);
    let touched = |step: u32| -> Vec<u32> { (0..4).map(|i| (step * 7 + i * 5) % 30).collect() };
    let grads: Vec<f32> = (0..4 * dims).map(|i| (i as f32 - 9.5) * 0.1).collect();
    let mut late = LateRows::new(algorithm, rows, dims).unwrap();
    let mut weights = vec![0.1; rows * dims];
    for step in 0..100 {
        late.step(&mut weights, &touched(step), &grads, 0.01, 1.0).unwrap();
    }
    let (first, second) = late.export(&mut weights).unwrap();
    let mut other = LateRows::new(algorithm, rows, dims).unwrap();
    other.import(late.step_count(), &first, &second).unwrap();
    let mut copy = weights.clone();
    for step in 100..200 {
        late.step(&mut weights, &touched(step), &grads, 0.01, 0.5).unwrap();
        other.step(&mut copy, &touched(step), &grads, 0.01, 0.5).unwrap();
    }
    late.flush(&mut weights).unwrap();
    other.flush(&mut copy).unwrap();
    assert_eq!(weights, copy);
    assert!(other.import(1, &first[1..], &second).is_err());
    assert!(
        other.catch_up(&mut copy, &[30]).unwrap_err().message().contains("row 30 is outside the matrix of 30 rows")
    );
}

#[test]
fn options_outside_their_range_are_errors() {
    let adam = |o| Dense::new(Algorithm::Adam(o), 1).err().map(|e| e.message().to_string()).unwrap_or_default();
    assert!(adam(AdamOptions { beta1: 1.0, ..AdamOptions::default() }).contains("betas"));
    assert!(adam(AdamOptions { eps: -1.0, ..AdamOptions::default() }).contains("eps"));
    let sgd = Algorithm::Sgd(SgdOptions { nesterov: true, ..SgdOptions::default() });
    assert!(Dense::new(sgd, 1).is_err());
}
