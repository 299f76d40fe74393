//! Training, prediction, explanation and mixing.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use common::{counted, data};
use recurra_linear::{
    Candidate, Counter, ErrorCode, FeatureOptions, HeldOut, Labels, LinearModel, Loss, MOST_LABELS, Mix, TrainOptions,
    quality, refusal,
};

fn trained(classes: usize, options: &TrainOptions<'_>) -> (LinearModel, Vec<String>, Vec<u32>) {
    let (texts, labels) = data(400, classes);
    let (featurizer, rows) = counted(&texts, options.threads);
    let (model, _) = LinearModel::train(&featurizer, &rows, Labels::One(&labels), classes, options).unwrap();
    (model, texts, labels)
}

#[test]
fn a_model_learns_and_its_probabilities_are_true() {
    for classes in [2, 3, 5] {
        let (texts, labels) = data(1_400, classes);
        let (featurizer, rows) = counted(&texts[..900], 2);
        let known = Labels::One(&labels[..900]);
        let (model, report) = LinearModel::train(&featurizer, &rows, known, classes, &TrainOptions::default()).unwrap();
        assert!(report.converged && report.trials.len() == 4);
        assert_eq!(report.held_out.len(), 900);
        let logs = model.predict(&texts[900..], 2);
        let found = quality(&logs, classes, Labels::One(&labels[900..]));
        assert!(found.accuracy > 0.8, "{classes}: {found:?}");
        for row in logs.chunks_exact(classes) {
            assert!((row.iter().map(|log| log.exp()).sum::<f32>() - 1.0).abs() < 1e-5);
        }
        let chosen = report.trials.iter().map(|trial| trial.quality.log_loss).fold(f64::INFINITY, f64::min);
        assert!((found.log_loss - chosen).abs() < 0.12, "{classes}: {} held out, {} after", chosen, found.log_loss);
    }
}

#[test]
fn neither_threads_nor_calls_change_a_model() {
    let (texts, labels) = data(700, 5);
    let mut all = Vec::new();
    for (threads, part) in [(1, 700), (2, 700), (5, 131)] {
        let mut counter = Counter::new(FeatureOptions::default(), threads).unwrap();
        texts.chunks(part).for_each(|texts| counter.add(texts).unwrap());
        let (featurizer, rows) = counter.finish().unwrap();
        let options = TrainOptions { threads, max_bytes: Some(3_000), ..TrainOptions::default() };
        let (model, report) = LinearModel::train(&featurizer, &rows, Labels::One(&labels), 5, &options).unwrap();
        assert!(model.featurizer().len() < report.features);
        all.push((model.to_arrays(), model.predict(&texts, threads), report.log_probabilities));
    }
    assert!(all[0] == all[1] && all[1] == all[2]);
}

#[test]
fn a_report_says_how_much_is_left_unexplained() {
    let (texts, labels) = data(600, 3);
    let (featurizer, rows) = counted(&texts, 1);
    let report = |labels: &[u32]| {
        LinearModel::train(&featurizer, &rows, Labels::One(labels), 3, &TrainOptions::default()).unwrap().1
    };
    let found = report(&labels);
    assert!(found.unexplained < 0.6, "{}", found.unexplained);
    // Labels that are independent of the texts.
    let none = report(&(0..600).map(|row| row / 7 % 3).collect::<Vec<u32>>());
    assert!((0.95..1.1).contains(&none.unexplained), "{}", none.unexplained);
    let (some, logs) = found.some_held_out(50);
    assert_eq!((some.len(), logs.len()), (50, 150));
    let at = found.held_out.iter().position(|&row| row == some[1]).unwrap();
    assert_eq!(logs[3..6], found.log_probabilities[3 * at..3 * at + 3]);
}

#[test]
fn a_model_keeps_to_its_size() {
    let (texts, labels) = data(400, 5);
    let (featurizer, rows) = counted(&texts, 1);
    let whole = {
        let options = TrainOptions { max_bytes: Some(10_000_000), ..TrainOptions::default() };
        LinearModel::train(&featurizer, &rows, Labels::One(&labels), 5, &options).unwrap().0
    };
    assert_eq!(whole.featurizer().len(), featurizer.len());
    for bytes in [1_500, 2_500, 4_000] {
        let options = TrainOptions { max_bytes: Some(bytes), ..TrainOptions::default() };
        let (model, _) = LinearModel::train(&featurizer, &rows, Labels::One(&labels), 5, &options).unwrap();
        assert!(model.bytes() <= bytes && bytes < whole.bytes(), "{} of {bytes}", model.bytes());
    }
}

#[test]
fn several_labels_are_learnt_each_alone() {
    let (texts, first) = data(600, 5);
    // Each row has its label, plus the next one if it is even, or no label.
    let (mut labels, mut ends) = (Vec::new(), Vec::new());
    for (row, &label) in first.iter().enumerate() {
        if row % 17 != 0 {
            labels.push(label);
            if label % 2 == 0 {
                labels.push((label + 1) % 5);
            }
        }
        ends.push(labels.len());
    }
    let labels = Labels::Many { labels: &labels, ends: &ends };
    let (featurizer, rows) = counted(&texts, 2);
    let (model, report) = LinearModel::train(&featurizer, &rows, labels, 5, &TrainOptions::default()).unwrap();
    assert!(model.several() && model.outputs() == 5);
    let found = quality(&model.predict(&texts, 2), 5, labels);
    assert!(found.accuracy > 0.9, "{found:?}");
    assert_eq!(report.log_probabilities.len(), 600 * 5);
    let again = LinearModel::from_arrays(&model.to_arrays()).unwrap();
    assert_eq!(again.predict(&texts, 1), model.predict(&texts, 1));
}

#[test]
fn rows_of_their_own_choose_without_being_trained_on() {
    let (texts, labels) = data(600, 3);
    let (featurizer, rows) = counted(&texts[..500], 1);
    let held = featurizer.rows_of(&texts[500..], 2);
    let held_labels = Labels::One(&labels[500..]);
    let options = TrainOptions { held_out: HeldOut::Rows(&held, held_labels), ..TrainOptions::default() };
    let (model, report) = LinearModel::train(&featurizer, &rows, Labels::One(&labels[..500]), 3, &options).unwrap();
    assert_eq!(report.held_out, (0..100).collect::<Vec<u32>>());
    // The model is the one that was measured, up to rounding to 8 bits.
    let logs = model.predict(&texts[500..], 1);
    let apart =
        logs.iter().zip(&report.log_probabilities).map(|(given, reported)| (given.exp() - reported.exp()).abs());
    let apart = apart.sum::<f32>() / logs.len() as f32;
    assert!(apart < 0.005, "{apart}");
    let (given, reported) = (quality(&logs, 3, held_labels), quality(&report.log_probabilities, 3, held_labels));
    assert!((given.log_loss - reported.log_loss).abs() < 0.02, "{given:?} {reported:?}");
}

#[test]
fn weights_move_the_scores() {
    let (texts, labels) = data(400, 2);
    let (featurizer, rows) = counted(&texts, 1);
    let mean = |class_weights: Option<&[f32]>, row_weights: Option<&[f32]>| {
        let held_out = HeldOut::Nothing;
        let options = TrainOptions {
            candidates: &[Candidate { loss: Loss::Logistic, cost: 1.0 }],
            class_weights,
            row_weights,
            held_out,
            ..TrainOptions::default()
        };
        let (model, _) = LinearModel::train(&featurizer, &rows, Labels::One(&labels), 2, &options).unwrap();
        model.predict(&texts, 1).chunks_exact(2).map(|row| f64::from(row[1].exp())).sum::<f64>() / 400.0
    };
    let heavy: Vec<f32> = labels.iter().map(|&label| if label == 1 { 5.0 } else { 1.0 }).collect();
    let (even, by_class, by_row) = (mean(None, None), mean(Some(&[1.0, 5.0]), None), mean(None, Some(&heavy)));
    assert!(by_class > even + 0.01 && (by_class - by_row).abs() < 1e-9, "{even} {by_class} {by_row}");
}

#[test]
fn a_training_stops_when_it_is_told() {
    let (texts, labels) = data(400, 3);
    let (featurizer, rows) = counted(&texts, 1);
    let abort = AtomicBool::new(true);
    let options = TrainOptions { abort: Some(&abort), ..TrainOptions::default() };
    let error = LinearModel::train(&featurizer, &rows, Labels::One(&labels), 3, &options).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Aborted);
    abort.store(false, Ordering::Relaxed);
    assert!(LinearModel::train(&featurizer, &rows, Labels::One(&labels), 3, &options).is_ok());
}

#[test]
fn progress_rises_to_one() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let progress = |share: f32| told.lock().unwrap().push(share);
    trained(
        5,
        &TrainOptions { progress: Some(&progress), threads: 2, max_bytes: Some(3_000), ..TrainOptions::default() },
    );
    let told = told.lock().unwrap();
    assert!(told.is_sorted() && told[0] > 0.0 && told.last() == Some(&1.0), "{told:?}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let (texts, labels) = data(40, 3);
    let (featurizer, rows) = counted(&texts, 1);
    let train = |labels: Labels<'_>, classes: usize, options: TrainOptions<'_>| {
        LinearModel::train(&featurizer, &rows, labels, classes, &options).map(|_| ()).unwrap_err().code()
    };
    let (one, default) = (Labels::One(&labels), TrainOptions::default);
    assert_eq!(train(Labels::One(&labels[1..]), 3, default()), ErrorCode::InvalidArgument);
    assert_eq!(train(one, 2, default()), ErrorCode::OutOfRange);
    assert_eq!(train(one, 1, default()), ErrorCode::InvalidArgument);
    assert_eq!(train(one, MOST_LABELS + 1, default()), ErrorCode::InvalidArgument);
    assert!(refusal(&rows, 20_000).unwrap().to_string().contains("not 20000"));
    let ends: Vec<usize> = (0..40).rev().collect();
    assert_eq!(train(Labels::Many { labels: &labels, ends: &ends }, 3, default()), ErrorCode::InvalidArgument);
    assert_eq!(train(one, 3, TrainOptions { candidates: &[], ..default() }), ErrorCode::InvalidArgument);
    for cost in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let candidates = &[Candidate { loss: Loss::SquaredHinge, cost }];
        assert_eq!(train(one, 3, TrainOptions { candidates, ..default() }), ErrorCode::InvalidArgument);
    }
    for tolerance in [0.0, f32::NAN, 2.0] {
        assert_eq!(train(one, 3, TrainOptions { tolerance, ..default() }), ErrorCode::InvalidArgument);
    }
    for class_weights in [&[1.0][..], &[1.0, f32::NAN, 1.0], &[1.0, -1.0, 1.0]] {
        let options = TrainOptions { class_weights: Some(class_weights), ..default() };
        assert_eq!(train(one, 3, options), ErrorCode::InvalidArgument);
    }
    assert_eq!(train(one, 3, TrainOptions { max_epochs: 0, ..default() }), ErrorCode::InvalidArgument);
}

#[test]
fn few_rows_give_a_model() {
    for rows in 1..7 {
        let (texts, labels) = data(rows, 3);
        let (featurizer, made) = counted(&texts, 2);
        let (model, _) =
            LinearModel::train(&featurizer, &made, Labels::One(&labels), 3, &TrainOptions::default()).unwrap();
        assert!(model.predict(&texts, 1).iter().all(|log| log.is_finite()));
    }
}

#[test]
fn an_explanation_adds_up_to_the_score() {
    let texts =
        ["The goal of the BANK", "İstanbul ẞ ΟΔΟΣ bank\u{a0}star star star", "", "zzz", "  film!  ", "bank bank"];
    for classes in [2, 5] {
        let (model, ..) = trained(classes, &TrainOptions::default());
        let mut predictor = model.predictor();
        for text in texts {
            for label in 0..classes {
                let score = match (classes, label) {
                    (2, 0) => -predictor.scores(text)[0],
                    (2, _) => predictor.scores(text)[0],
                    _ => predictor.scores(text)[label],
                };
                let explanation = model.explain(text, label).unwrap();
                assert!((explanation.score() - score).abs() < 1e-4, "{text:?} {label}");
                assert_eq!(explanation.parts.len(), text.chars().count());
                for (part, (from, character)) in explanation.parts.iter().zip(text.char_indices()) {
                    assert_eq!((part.from, part.to), (from, from + character.len_utf8()));
                }
            }
        }
        assert_eq!(model.explain("", classes).unwrap_err().code(), ErrorCode::OutOfRange);
    }
    let (model, ..) = trained(5, &TrainOptions::default());
    let explanation = model.explain("the actor of number 3", 4).unwrap();
    assert!(explanation.of(4..9) > 0.5 && explanation.of(4..9) > explanation.of(10..21), "{explanation:?}");
}

#[test]
fn single_and_bulk_predictions_are_the_same() {
    let (model, texts, _) = trained(5, &TrainOptions::default());
    let bulk = model.predict(&texts, 3);
    let mut predictor = model.predictor();
    for (text, expected) in texts.iter().zip(bulk.chunks_exact(5)) {
        let mut logs = [0.0; 5];
        predictor.predict(text, &mut logs);
        assert_eq!(logs, expected);
    }
    assert!(model.predict::<&str>(&[], 3).is_empty());
}

#[test]
fn a_mixture_is_as_good_as_its_better_part() {
    let labels: Vec<u32> = (0..600).map(|row| row % 3).collect();
    // Log-probabilities that favour the correct label in a share of the rows, with probability `sure`.
    let model = |right: u32, salt: u32, sure: f32| -> Vec<f32> {
        let row = |row: u32| {
            let given = if (row * 37 + salt * 11) % 100 < right { row % 3 } else { (row + 1) % 3 };
            (0..3).map(move |label| if label == given { sure } else { (1.0 - sure) / 2.0 }.ln())
        };
        (0..600).flat_map(row).collect()
    };
    for (network, linear) in [(90, 40), (40, 90), (80, 80), (34, 33)] {
        let (network, linear) = (model(network, 1, 0.99), model(linear, 5, 0.6));
        let (mix, report) = Mix::choose(&network, &linear, 3, Labels::One(&labels)).unwrap();
        let best = report.network.accuracy.max(report.linear.accuracy);
        let loss = report.network.log_loss.min(report.linear.log_loss);
        assert!(report.mixed.accuracy >= best - 0.02 && report.mixed.log_loss <= loss + 1e-3, "{mix:?} {report:?}");
    }
    assert!(Mix::choose(&[0.0], &[0.0], 2, Labels::One(&[0])).is_err());
    assert!(Mix::choose(&[], &[], 2, Labels::One(&[])).is_err());
}

#[test]
fn a_mixture_of_certainties_is_finite() {
    let mut to = [0.0; 2];
    for several in [false, true] {
        for network in [0.0, 0.5, 1.0] {
            let mix = Mix { network, sharpness: 3.0 };
            mix.apply(&[0.0, f32::NEG_INFINITY], &[-0.7, -0.7], several, &mut to);
            assert!(to.iter().all(|log| log.is_finite() && *log <= 1e-6), "{several} {network} {to:?}");
        }
    }
}

#[test]
fn probabilities_are_refined_as_their_logarithms_are_mixed() {
    let mix = Mix { network: 0.3, sharpness: 1.2 };
    for several in [false, true] {
        let network = [0.7f32, 0.3, 0.0, 0.2, 0.5, 0.3];
        let linear: Vec<f32> = [0.1f32, 0.6, 0.3, 0.9, 0.05, 0.05].iter().map(|value| value.ln()).collect();
        let mut refined = network;
        mix.refine(&mut refined, &linear, 3, several);
        for (row, refined) in refined.chunks(3).enumerate() {
            let logs: Vec<f32> = network[3 * row..3 * row + 3].iter().map(|value| value.ln()).collect();
            let mut mixed = [0.0; 3];
            mix.apply(&logs, &linear[3 * row..3 * row + 3], several, &mut mixed);
            assert_eq!(refined, mixed.map(f32::exp));
        }
    }
}

#[test]
fn few_rows_move_the_mixture_little_and_many_far() {
    // Both models are correct and underconfident: the higher the sharpness, the lower the loss.
    let row = [0.6f32.ln(), 0.4f32.ln()];
    let chosen = |rows: usize| {
        let logs = row.repeat(rows);
        Mix::choose(&logs, &logs, 2, Labels::One(&vec![0; rows])).unwrap().0
    };
    assert!(chosen(5).sharpness < 1.5, "{:?}", chosen(5));
    assert!(chosen(50_000).sharpness > 5.0, "{:?}", chosen(50_000));
    assert!((chosen(5).network - Mix::USUAL.network).abs() < 0.11);
}

#[test]
fn room_serves_one_text_after_the_other() {
    let texts = ["a good film", "a bad film", "good", ""];
    let mut counter = Counter::new(FeatureOptions::default(), 1).unwrap();
    counter.add(&texts).unwrap();
    let (featurizer, rows) = counter.finish().unwrap();
    let labels = [1, 0, 1, 0];
    let (model, _) = LinearModel::train(&featurizer, &rows, Labels::One(&labels), 2, &TrainOptions::default()).unwrap();
    let (mut room, expected) = (model.room(), model.predict(&texts, 1));
    for (text, expected) in texts.iter().zip(expected.chunks(2)) {
        let mut logs = [0.0; 2];
        model.predict_with(&mut room, text, &mut logs);
        assert_eq!(logs, expected);
    }
}
