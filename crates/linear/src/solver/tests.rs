//! Compares scores with those of scikit-learn (scripts/golden/linear.py).

use super::*;
use crate::counting::Counter;
use crate::featurizer::Featurizer;
use crate::options::FeatureOptions;
use proptest::prelude::*;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../tests/golden.jsonl")).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

struct Data {
    featurizer: Featurizer,
    rows: Rows,
    labels: Vec<u32>,
    tests: Rows,
}

fn data(golden: &Value) -> Data {
    let strings = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut counter = Counter::new(FeatureOptions::default(), 1).unwrap();
    counter.add(&strings(&golden["texts"])).unwrap();
    let (featurizer, rows) = counter.finish().unwrap();
    let tests = featurizer.rows_of(&strings(&golden["tests"]), 1);
    let labels = golden["labels"].as_array().unwrap().iter().map(|label| label.as_u64().unwrap() as u32).collect();
    Data { featurizer, rows, labels, tests }
}

fn logistic(costs: &[f32]) -> Vec<Candidate> {
    costs.iter().map(|&cost| Candidate { loss: Loss::Logistic, cost }).collect()
}

/// Solves from scratch, or after a smaller cost, and compares the test scores with scikit-learn's.
fn compare(
    expected: &Value,
    change: impl Fn(&mut Problem<'_>),
    several: bool,
    candidates: &[Candidate],
    tolerance: f32,
    bound: f32,
) {
    let golden = golden();
    let Data { featurizer, rows, labels, tests } = data(&golden);
    let members: Vec<u32> = (0..rows.len() as u32).collect();
    let ends: Vec<usize> = (1..=rows.len()).collect();
    let scaling = Scaling::new(&rows, featurizer.idf().to_vec(), 1);
    let mut problem = Problem {
        rows: &rows,
        scaling: &scaling,
        labels: if several { Labels::Many { labels: &labels, ends: &ends } } else { Labels::One(&labels) },
        outputs: 3,
        members: &members,
        row_weights: None,
        class_weights: None,
        tolerance,
        max_epochs: 3_000,
        seed: 1,
        abort: None,
        work: None,
    };
    change(&mut problem);
    let mut solver = Solver::<4>::new(&problem, 0);
    for &candidate in candidates {
        assert!(solver.solve(candidate).unwrap() < 3_000);
    }
    let of_tests = Scaling::new(&tests, featurizer.idf().to_vec(), 1);
    let numbers_of: Vec<u32> = (0..tests.len() as u32).collect();
    let scores = solver.scores(&tests, &of_tests, &numbers_of);
    for (row, expected) in scores.iter().zip(expected.as_array().unwrap()) {
        for (score, expected) in row.iter().zip(numbers(expected)) {
            assert!((score - expected).abs() <= bound, "{score} instead of {expected} at {candidates:?}");
        }
    }
    assert_eq!(scores.len(), 4);
}

#[test]
fn scores_are_those_of_the_exact_solution() {
    let golden = golden();
    for cost in [1, 20, 100] {
        compare(&golden["scores"][cost.to_string()], |_| {}, false, &logistic(&[cost as f32]), 1e-5, 5e-4);
    }
}

#[test]
fn scores_of_the_squared_hinge_are_those_of_linear_svc() {
    let golden = golden();
    let hinge = |cost| Candidate { loss: Loss::SquaredHinge, cost };
    compare(&golden["hinge"]["1"], |_| {}, false, &[hinge(1.0)], 1e-6, 2e-4);
    compare(&golden["hinge"]["1"], |_| {}, false, &[logistic(&[20.0])[0], hinge(0.3), hinge(1.0)], 1e-6, 2e-4);
    compare(&golden["hinge"]["0.3"], |_| {}, false, &[hinge(0.3)], 1e-6, 2e-4);
}

#[test]
fn another_cost_may_come_first() {
    compare(&golden()["scores"]["100"], |_| {}, false, &logistic(&[1.0, 20.0, 100.0]), 1e-5, 5e-4);
}

/// Trainings stop within a few hundredths of the exact scores, which are a few units large.
#[test]
fn the_tolerance_of_trainings_is_close_to_the_solution() {
    compare(&golden()["scores"]["20"], |_| {}, false, &logistic(&[2.0, 20.0]), 0.05, 0.1);
}

#[test]
fn rows_and_labels_are_weighted() {
    let golden = golden();
    let (row_weights, class_weights) = (numbers(&golden["row_weights"]), numbers(&golden["class_weights"]));
    let (row_weights, class_weights) = (row_weights.leak(), class_weights.leak());
    compare(
        &golden["weighted"],
        |problem| {
            problem.row_weights = Some(row_weights);
            problem.class_weights = Some(class_weights);
        },
        false,
        &logistic(&[20.0]),
        1e-5,
        5e-4,
    );
    compare(
        &golden["several"],
        |problem| problem.class_weights = Some(class_weights),
        true,
        &logistic(&[20.0]),
        1e-5,
        5e-4,
    );
}

#[test]
fn labels_side_by_side_do_not_touch_each_other() {
    let golden = golden();
    let Data { featurizer, rows, labels, .. } = data(&golden);
    let members: Vec<u32> = (0..rows.len() as u32).collect();
    let scaling = Scaling::new(&rows, featurizer.idf().to_vec(), 1);
    let labels = Labels::One(&labels);
    let problem = Problem {
        rows: &rows,
        scaling: &scaling,
        labels,
        outputs: 3,
        members: &members,
        row_weights: None,
        class_weights: None,
        tolerance: 1e-5,
        max_epochs: 3_000,
        seed: 1,
        abort: None,
        work: None,
    };
    let mut together = Solver::<4>::new(&problem, 0);
    together.solve(logistic(&[5.0])[0]).unwrap();
    for output in 0..3 {
        let mut alone = Solver::<1>::new(&problem, output);
        alone.solve(logistic(&[5.0])[0]).unwrap();
        for (alone, together) in alone.weights().iter().zip(together.weights()) {
            assert!((alone[0] - together[output]).abs() < 1e-3);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The primal and the dual objective enclose the optimum: if they are equal, the solution is exact.
    #[test]
    fn no_gap_is_left_to_the_dual(
        rows in prop::collection::vec((prop::collection::vec(0u8..12, 0..9), 0u32..3), 1..30),
        cost in 0.01f32..50.0,
    ) {
        let texts: Vec<String> =
            rows.iter().map(|(words, _)| words.iter().map(|word| format!("w{word} ")).collect()).collect();
        let labels: Vec<u32> = rows.iter().map(|(_, label)| *label).collect();
        let mut counter = Counter::new(FeatureOptions { chars: (2, 3), ..FeatureOptions::default() }, 1).unwrap();
        counter.add(&texts).unwrap();
        // A corpus without words has no features.
        if let Ok((featurizer, rows)) = counter.finish() {
            let members: Vec<u32> = (0..rows.len() as u32).collect();
            let scaling = Scaling::new(&rows, featurizer.idf().to_vec(), 1);
            let problem = Problem {
                rows: &rows,
                scaling: &scaling,
                labels: Labels::One(&labels),
                outputs: 3,
                members: &members,
                row_weights: None,
                class_weights: None,
                tolerance: 1e-6,
                max_epochs: 20_000,
                seed: 3,
                abort: None,
work: None,
            };
            let mut solver = Solver::<4>::new(&problem, 0);
            solver.solve(logistic(&[cost])[0]).unwrap();
            let scores = solver.scores(&rows, &scaling, &members);
            for output in 0..3 {
                let squares = solver.weights().iter().zip(&scaling.idf).map(|(weights, idf)| f64::from(weights[output] / idf));
                let bias = f64::from(solver.bias()[output]);
                let penalty = 0.5 * (squares.map(|weight| weight * weight).sum::<f64>() + bias * bias);
                let (mut primal, mut dual) = (penalty, -penalty);
                for (row, &label) in labels.iter().enumerate() {
                    let sign = if label as usize == output { 1.0 } else { -1.0 };
                    primal -= f64::from(cost) * crate::math::ln_sigmoid(sign * f64::from(scores[row][output]));
                    let share = 1.0 / (1.0 + f64::from(solver.ts[row][output]).exp());
                    let entropy = |share: f64| if share > 0.0 { share * share.ln() } else { 0.0 };
                    dual -= f64::from(cost) * (entropy(share) + entropy(1.0 - share));
                }
                prop_assert!(primal - dual <= 1e-3 * primal.max(1.0), "{primal} {dual}");
                prop_assert!(primal - dual >= -1e-4 * primal.max(1.0), "{primal} {dual}");
            }
        }
    }
}
