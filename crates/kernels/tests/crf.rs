//! The linear-chain CRF: compares losses, gradients, marginals and best paths with pytorch-crf 0.7.2 and with an
//! enumeration of all paths.
#![cfg(feature = "training")]

mod common;

use common::{Golden, difference, fixtures, json};
use proptest::prelude::*;
use recurra_core::ErrorCode;
use recurra_core::layout::PackedLayout;
use recurra_kernels::heads::crf::{Allowed, Crf};
use recurra_kernels::threads::Pool;
use serde_json::Value;

/// Absolute and relative, against float64.
const TOLERANCE: f32 = 1e-5;

fn numbers<T>(values: &Value, of: impl Fn(&Value) -> T) -> Vec<T> {
    values.as_array().into_iter().flatten().map(of).collect()
}

fn flags(values: &Value) -> Vec<bool> {
    numbers(values, |value| value.as_u64() == Some(1))
}

fn tags(values: &Value) -> Vec<u32> {
    numbers(values, |value| value.as_u64().unwrap() as u32)
}

#[test]
fn values_gradients_and_paths_are_those_of_pytorch_crf() {
    let golden = Golden::open(&fixtures().join("crf.safetensors"));
    let cases = json(&fixtures().join("crf.json"));
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let get = |what: &str| golden.f32(&format!("{name}/{what}"));
        let lengths: Vec<i32> = numbers(&case["lengths"], |value| value.as_i64().unwrap() as i32);
        let layout = PackedLayout::new(&lengths, None).unwrap();
        let count = case["tags"].as_u64().unwrap() as usize;
        let [start, end, between] = ["start", "end", "between"].map(|key| flags(&case["allowed"][key]));
        let allowed = Allowed { start: &start, end: &end, between: &between };
        let allowed = case["allowed"].is_object().then_some(allowed);
        let crf = Crf::new(count, &get("start"), &get("end"), &get("between"), allowed).unwrap();
        let (emissions, gold) = (get("emissions"), tags(&case["gold"]));
        for threads in [1, 3] {
            let pool = Pool::new(threads);
            let ours = crf.gradients(&pool, &layout, &emissions, &gold).unwrap();
            let losses = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<_>>();
            let theirs = losses(&numbers(&case["losses"], |value| value.as_f64().unwrap()));
            let mut worst = vec![("losses", difference(&losses(&ours.losses), &theirs))];
            for (what, values) in [
                ("d_emissions", &ours.emissions),
                ("d_start", &ours.start),
                ("d_end", &ours.end),
                ("d_between", &ours.between),
            ] {
                worst.push((what, difference(values, &get(what))));
            }
            let (marginals, sums) = crf.marginals(&pool, &layout, &emissions).unwrap();
            worst.push(("marginals", difference(&marginals, &get("marginals"))));
            let theirs = losses(&numbers(&case["normalizers"], |value| value.as_f64().unwrap()));
            worst.push(("normalizers", difference(&losses(&sums), &theirs)));
            println!("{name}, {threads} threads: {worst:?}");
            for (what, difference) in worst {
                assert!(difference <= TOLERANCE, "{name} {what} {difference:e}");
            }
            assert_eq!(crf.decode(&pool, &layout, &emissions).unwrap(), tags(&case["best"]), "{name}");
        }
    }
}

/// A CRF with few tags and rows.
#[derive(Clone, Debug)]
struct Small {
    tags: usize,
    lengths: Vec<i32>,
    start: Vec<f32>,
    end: Vec<f32>,
    between: Vec<f32>,
    emissions: Vec<f32>,
    allowed: [Vec<bool>; 3],
}

fn small() -> impl Strategy<Value = Small> {
    (1usize..4, prop::collection::vec(1i32..5, 1..4), prop::sample::select(vec![1.0f32, 8.0, 60.0])).prop_flat_map(
        |(tags, lengths, scale)| {
            let total = lengths.iter().sum::<i32>() as usize;
            let values = move |n: usize| prop::collection::vec(-scale..scale, n);
            let flags = |n: usize| prop::collection::vec(prop::bool::weighted(0.7), n);
            let allowed = [flags(tags), flags(tags), flags(tags * tags)];
            (values(tags), values(tags), values(tags * tags), values(total * tags), allowed).prop_map(
                move |(start, end, between, emissions, mut allowed)| {
                    // One path is always allowed: tag 0 everywhere.
                    allowed.iter_mut().for_each(|flags| flags[0] = true);
                    Small { tags, lengths: lengths.clone(), start, end, between, emissions, allowed }
                },
            )
        },
    )
}

impl Small {
    fn crf(&self) -> Crf {
        let [start, end, between] = &self.allowed;
        let allowed = Some(Allowed { start, end, between });
        Crf::new(self.tags, &self.start, &self.end, &self.between, allowed).unwrap()
    }

    /// Every allowed path of a row with its score; `positions` are those of the row.
    fn paths(&self, positions: &[usize]) -> Vec<(Vec<usize>, f64)> {
        let [first, last, inner] = &self.allowed;
        let mut paths = vec![(Vec::new(), 0.0)];
        for &position in positions {
            paths = (paths.iter())
                .flat_map(|(path, score): &(Vec<usize>, f64)| {
                    (0..self.tags).filter_map(move |tag| {
                        let (fits, step) = match path.last() {
                            None => (first[tag], self.start[tag]),
                            Some(before) => {
                                let at = before * self.tags + tag;
                                (inner[at], self.between[at])
                            }
                        };
                        let emission = self.emissions[position * self.tags + tag];
                        let path = path.iter().copied().chain([tag]).collect();
                        fits.then_some((path, score + f64::from(step) + f64::from(emission)))
                    })
                })
                .collect();
        }
        let ends = |path: &Vec<usize>| path[path.len() - 1];
        paths.retain(|(path, _)| last[ends(path)]);
        paths.iter_mut().for_each(|(path, score)| *score += f64::from(self.end[ends(path)]));
        paths
    }
}

proptest! {
    #[test]
    fn sums_and_paths_are_those_of_all_paths_one_by_one(case in small(), threads in 1usize..3) {
        let (crf, pool) = (case.crf(), Pool::new(threads));
        let layout = PackedLayout::new(&case.lengths, None).unwrap();
        let (marginals, sums) = crf.marginals(&pool, &layout, &case.emissions).unwrap();
        let best = crf.decode(&pool, &layout, &case.emissions).unwrap();
        let gradients = crf.gradients(&pool, &layout, &case.emissions, &best).unwrap();
        for (row, &ours) in sums.iter().enumerate() {
            let positions: Vec<usize> =
                (0..layout.lengths()[row] as usize).map(|time| layout.position(row, time).unwrap()).collect();
            let paths = case.paths(&positions);
            let highest = paths.iter().map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max);
            let sum = highest + paths.iter().map(|(_, score)| (score - highest).exp()).sum::<f64>().ln();
            prop_assert!((ours - sum).abs() <= 1e-5 * (1.0 + sum.abs()), "{ours} {sum}");
            for (time, &position) in positions.iter().enumerate() {
                for tag in 0..case.tags {
                    let with = paths.iter().filter(|(path, _)| path[time] == tag);
                    let expected = with.map(|(_, score)| (score - sum).exp()).sum::<f64>();
                    let ours = f64::from(marginals[position * case.tags + tag]);
                    // A score of several hundred has few fractional digits in float32.
                    prop_assert!((ours - expected).abs() <= 3e-4, "{ours} {expected}");
                }
            }
            let found: Vec<u32> = positions.iter().map(|&position| best[position]).collect();
            prop_assert_eq!(crf.first_forbidden(&found), None);
            let path: Vec<usize> = found.iter().map(|&tag| tag as usize).collect();
            let score = paths.iter().find(|(other, _)| *other == path).unwrap().1;
            prop_assert!(score >= highest - 1e-4 * (1.0 + highest.abs()), "{score} {highest}");
            prop_assert!((gradients.losses[row] - (sum - score)).abs() <= 1e-5 * (1.0 + sum.abs()));
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing(case in small(), threads in 2usize..5) {
        let (crf, layout) = (case.crf(), PackedLayout::new(&case.lengths, None).unwrap());
        let gold = vec![0; layout.total()];
        let run = |threads| {
            let ours = crf.gradients(&Pool::new(threads), &layout, &case.emissions, &gold).unwrap();
            let bits = [ours.emissions, ours.start, ours.end, ours.between].concat();
            (ours.losses.iter().map(|loss| loss.to_bits()).collect::<Vec<_>>(), bits.iter().map(|v| v.to_bits()).collect::<Vec<_>>())
        };
        prop_assert_eq!(run(1), run(threads));
    }
}

#[test]
fn of_equally_good_tags_the_first_is_taken() {
    let layout = PackedLayout::new(&[4], None).unwrap();
    let crf = Crf::new(5, &[0.0; 5], &[0.0; 5], &[0.0; 25], None).unwrap();
    let emissions: Vec<f32> =
        [[0, 1, 0, 1, 0], [0; 5], [0, 0, 2, 2, 2], [3, 3, 0, 0, 3]].concat().iter().map(|&v| v as f32).collect();
    assert_eq!(crf.decode(&Pool::new(1), &layout, &emissions).unwrap(), [1, 0, 2, 0]);
}

#[test]
fn a_long_sequence_keeps_its_digits() {
    let (tags, length) = (3, 100_000usize);
    let layout = PackedLayout::new(&[length as i32], None).unwrap();
    let between = [0.5, -0.25, 1.0, 0.125, 2.0, -1.0, 0.0, 0.75, 0.25];
    let crf = Crf::new(tags, &[0.0; 3], &[0.0; 3], &between, None).unwrap();
    let emissions: Vec<f32> = (0..length * tags).map(|i| ((i * 7919) % 1000) as f32 / 125.0).collect();
    let (marginals, sums) = crf.marginals(&Pool::new(1), &layout, &emissions).unwrap();
    let mut alpha = [0.0f64; 3];
    for (time, row) in emissions.chunks_exact(tags).enumerate() {
        let step = |to: usize| {
            let sum = (0..tags).map(|from| (alpha[from] - alpha[0] + f64::from(between[from * tags + to])).exp());
            alpha[0] + sum.sum::<f64>().ln()
        };
        let next: Vec<f64> = (0..tags).map(|to| f64::from(row[to]) + if time == 0 { 0.0 } else { step(to) }).collect();
        alpha.copy_from_slice(&next);
    }
    let sum = alpha[0] + alpha.iter().map(|value| (value - alpha[0]).exp()).sum::<f64>().ln();
    assert!((sums[0] - sum).abs() <= 1e-7 * sum, "{} {sum}", sums[0]);
    for row in marginals.chunks_exact(tags) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() <= 1e-6, "{row:?}");
    }
}

#[test]
fn what_is_no_number_stays_none_and_nothing_panics() {
    let layout = PackedLayout::new(&[3, 2], None).unwrap();
    let crf = Crf::new(2, &[0.0; 2], &[0.0; 2], &[0.0; 4], None).unwrap();
    let pool = Pool::new(2);
    for place in 0..10 {
        for value in [f32::NAN, f32::INFINITY] {
            let mut emissions = [0.5; 10];
            emissions[place] = value;
            let ours = crf.gradients(&pool, &layout, &emissions, &[0; 5]).unwrap();
            assert!(ours.losses.iter().any(|loss| !loss.is_finite()), "{value} at {place}: {:?}", ours.losses);
            crf.decode(&pool, &layout, &emissions).unwrap();
        }
    }
}

#[test]
fn forbidden_paths_are_found_and_lengths_are_checked() {
    let (start, end, between) = ([true, false], [false, true], [true, true, false, true]);
    let allowed = Allowed { start: &start, end: &end, between: &between };
    let crf = Crf::new(2, &[0.0; 2], &[0.0; 2], &[0.0; 4], Some(allowed)).unwrap();
    assert_eq!(crf.tags(), 2);
    for (path, place) in [
        (&[0, 1][..], None),
        (&[1, 1], Some(0)),
        (&[0, 1, 0, 1], Some(2)),
        (&[0, 0], Some(2)),
        (&[0, 9, 1], Some(1)),
        (&[40], Some(0)),
        (&[], None),
    ] {
        assert_eq!(crf.first_forbidden(path), place, "{path:?}");
    }
    let layout = PackedLayout::new(&[2], None).unwrap();
    let pool = Pool::new(1);
    let loss = crf.gradients(&pool, &layout, &[0.0; 4], &[1, 1]).unwrap().losses[0];
    assert!(loss > 1e29, "{loss}");
    let code = |result: recurra_core::Result<()>| result.unwrap_err().code();
    assert_eq!(code(crf.gradients(&pool, &layout, &[0.0; 3], &[0, 1]).map(drop)), ErrorCode::InvalidShape);
    assert_eq!(code(crf.gradients(&pool, &layout, &[0.0; 4], &[0]).map(drop)), ErrorCode::InvalidShape);
    assert_eq!(code(crf.gradients(&pool, &layout, &[0.0; 4], &[0, 2]).map(drop)), ErrorCode::OutOfRange);
    assert_eq!(code(crf.decode(&pool, &layout, &[0.0; 5]).map(drop)), ErrorCode::InvalidShape);
    assert_eq!(code(Crf::new(0, &[], &[], &[], None).map(drop)), ErrorCode::OutOfRange);
    assert_eq!(code(Crf::new(2, &[0.0; 2], &[0.0; 2], &[0.0; 3], None).map(drop)), ErrorCode::InvalidShape);
}
