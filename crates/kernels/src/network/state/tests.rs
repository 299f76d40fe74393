use super::*;
use recurra_core::{
    AdamOptions, Cell, Chunk, Dtype, ErrorCode, NetworkConfig, Pooling, SgdOptions, StepOptions, Targets,
};

const BATCHES: usize = 90;

/// Names the first array that differs, without its many values.
fn assert_same(one: &Network, other: &Network, what: &str) {
    let (one, other) = (one.training_state().unwrap(), other.training_state().unwrap());
    let differs = one.iter().zip(&other).find(|(a, b)| a != b).map(|(a, _)| a.name.as_str());
    assert_eq!(differs, None, "{what}");
    assert_eq!(one.len(), other.len(), "{what}");
}

struct Texts {
    tokens: Vec<i32>,
    lengths: Vec<i32>,
    labels: Vec<i32>,
}

/// One text a batch. Most words come seldom, so that rows miss some steps or many.
fn texts() -> Texts {
    let mut state = 7u64;
    let mut below = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize % n) as i32
    };
    let mut texts = Texts { tokens: vec![], lengths: vec![], labels: vec![] };
    for _ in 0..BATCHES {
        let length = 1 + below(5);
        texts.lengths.push(length);
        texts.labels.push(below(3));
        for _ in 0..length {
            let most = if below(2) == 0 { 4 } else { 700 };
            texts.tokens.push(below(most));
        }
    }
    texts
}

fn classifier() -> Network {
    let config = NetworkConfig::classifier(Cell::Lstm, 700, 5, 3, 3).with(|c| {
        c.encoder.num_layers = 2;
        c.encoder.bidirectional = true;
        c.encoder.dropouts.embedding = 0.1;
        c.encoder.dropouts.layers = 0.2;
        c.encoder.dropouts.words = 0.1;
        c.encoder.unknown_idx = Some(0);
        c.classes_mut().pooling = Pooling::Attention;
        c.encoder.padding_idx = Some(1);
        c.seed = 11;
    });
    Network::new(config).unwrap()
}

/// The embedding is frozen for the first batches.
const FROZEN: usize = 12;

fn train(classifier: &Network, texts: &Texts, algorithm: Algorithm, batches: std::ops::Range<usize>) {
    if batches.start < FROZEN && batches.end > FROZEN {
        train(classifier, texts, algorithm, batches.start..FROZEN);
        return train(classifier, texts, algorithm, FROZEN..batches.end);
    }
    let start: i32 = texts.lengths[..batches.start].iter().sum();
    let end: i32 = texts.lengths[..batches.end].iter().sum();
    let rates: Vec<f64> = batches.clone().map(|batch| 0.02 * (1.0 - batch as f64 / 100.0)).collect();
    let chunk = Chunk {
        tokens: &texts.tokens[start as usize..end as usize],
        lengths: &texts.lengths[batches.clone()],
        targets: Targets::Rows(&texts.labels[batches.clone()]),
        batch_sizes: &vec![1; batches.len()],
        ..Chunk::default()
    };
    let options = StepOptions {
        learning_rates: &rates,
        clip_norm: 0.5,
        algorithm,
        freeze_embedding: batches.end <= FROZEN,
        ..StepOptions::default()
    };
    assert_eq!(classifier.train_batches(&chunk, &options).unwrap().rows, batches.len() as u64);
}

fn algorithms() -> Vec<Algorithm> {
    let adam = AdamOptions::default();
    let sgd = SgdOptions { momentum: 0.9, ..SgdOptions::default() };
    vec![
        Algorithm::Adam(adam),
        Algorithm::AdamW(AdamOptions { weight_decay: 0.1, ..adam }),
        Algorithm::Adam(AdamOptions { weight_decay: 0.1, ..adam }),
        Algorithm::Adam(AdamOptions { amsgrad: true, ..adam }),
        Algorithm::Sgd(sgd),
        Algorithm::Sgd(SgdOptions { weight_decay: 0.01, dampening: 0.1, ..sgd }),
        Algorithm::Sgd(SgdOptions::default()),
    ]
}

#[test]
fn a_training_goes_on_to_the_same_bits_wherever_it_is_cut() {
    let texts = texts();
    for algorithm in algorithms() {
        let whole = classifier();
        train(&whole, &texts, algorithm, 0..BATCHES);
        for cuts in [vec![1], vec![40], vec![31, 32, 33, 34, 35], vec![20, 80], vec![0, 89]] {
            let mut now = classifier();
            let mut from = 0;
            for cut in cuts.iter().copied() {
                if cut > from {
                    train(&now, &texts, algorithm, from..cut);
                }
                let next = classifier();
                next.restore(&now.training_state().unwrap()).unwrap();
                (now, from) = (next, cut);
            }
            train(&now, &texts, algorithm, from..BATCHES);
            assert_same(&now, &whole, &format!("{algorithm:?} cut at {cuts:?}"));
        }
    }
}

#[test]
fn looking_changes_nothing_and_sees_what_catching_up_gives() {
    let texts = texts();
    for algorithm in algorithms() {
        let (looked, alone) = (classifier(), classifier());
        for from in (0..BATCHES).step_by(10) {
            train(&looked, &texts, algorithm, from..from + 10);
            train(&alone, &texts, algorithm, from..from + 10);
            let seen = looked.peek().unwrap();
            assert_same(&looked, &alone, "after a look");
            if from == 60 {
                assert_eq!(seen, alone.state().unwrap());
                assert_eq!(seen, looked.state().unwrap());
            }
        }
    }
}

/// The weights of some texts' words after some steps of one rule and then others of another.
fn trained_by(before: Algorithm, then: Algorithm) -> Network {
    let (texts, network) = (texts(), classifier());
    train(&network, &texts, before, 0..40);
    train(&network, &texts, then, 40..BATCHES);
    network
}

#[test]
fn other_options_of_an_optimizer_keep_its_state_and_another_form_does_not() {
    let texts = texts();
    let adam = AdamOptions::default();
    let l2 = Algorithm::Adam(AdamOptions { weight_decay: 0.1, ..adam });
    // Deferred, every row at once, and back: rows are current wherever the way of moving them changes.
    let sgd = |momentum, weight_decay| Algorithm::Sgd(SgdOptions { momentum, weight_decay, ..SgdOptions::default() });
    for (before, then) in [
        (Algorithm::Adam(adam), l2),
        (l2, Algorithm::Adam(adam)),
        (l2, Algorithm::Adam(AdamOptions { weight_decay: 0.2, ..adam })),
        (Algorithm::Adam(adam), Algorithm::Adam(AdamOptions { beta1: 0.8, ..adam })),
        (sgd(0.9, 0.0), sgd(0.9, 0.01)),
        (sgd(0.9, 0.01), sgd(0.5, 0.0)),
        (sgd(0.0, 0.0), sgd(0.0, 0.01)),
        (sgd(0.0, 0.01), sgd(0.0, 0.0)),
    ] {
        let kept = trained_by(before, then).training_state().unwrap();
        // The same by hand: the state, brought current, with the new options in it.
        let by_hand = classifier();
        train(&by_hand, &texts, before, 0..40);
        by_hand.state().unwrap();
        let mut state = by_hand.training_state().unwrap();
        let steps = state.iter().find(|array| array.name == STEPS).unwrap().values::<f64>().unwrap();
        state.iter_mut().find(|array| array.name == OPTIMIZER).unwrap().data =
            NamedArray::list(OPTIMIZER, &then.to_numbers()).data;
        if then.cannot_defer().is_some() {
            state.retain(|array| ![RATES, LAST].contains(&&*array.name));
            if matches!(then, Algorithm::Sgd(o) if o.momentum == 0.0) {
                state.retain(|array| array.name != "training.momentum_buffer.embedding.weight");
            }
        } else if before.cannot_defer().is_some() {
            let shape = by_hand.params.words_shape().to_vec();
            if matches!(then, Algorithm::Sgd(o) if o.momentum == 0.0) {
                let zeros = vec![0f32; shape[0] * shape[1]];
                state.push(NamedArray::of("training.momentum_buffer.embedding.weight", shape.clone(), &zeros));
            }
            state.push(NamedArray::list::<f64>(RATES, &[]));
            state.push(NamedArray::list(LAST, &vec![steps[2] as i32; shape[0]]));
        }
        by_hand.restore(&state).unwrap();
        train(&by_hand, &texts, then, 40..BATCHES);
        let of = |arrays: &[NamedArray], name: &str| {
            arrays.iter().find(|array| array.name == name).unwrap().values::<f32>().unwrap()
        };
        let by_hand = by_hand.training_state().unwrap();
        for name in ["training.embedding.weight", "training.rnn.weight_ih_l0", "training.fc.weight"] {
            let (one, other) = (of(&kept, name), of(&by_hand, name));
            let largest = one.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(largest < 1e-6, "{before:?} {then:?} {name}: {largest}");
        }
    }
    let fresh = |before, then| {
        let steps = trained_by(before, then).training_state().unwrap()[0].values::<f64>().unwrap();
        steps[1] as usize == BATCHES - 40
    };
    assert!(fresh(Algorithm::Adam(adam), Algorithm::AdamW(adam)));
    assert!(fresh(Algorithm::Adam(adam), Algorithm::Adam(AdamOptions { amsgrad: true, ..adam })));
    assert!(fresh(sgd(0.0, 0.0), sgd(0.9, 0.0)) && fresh(sgd(0.9, 0.0), sgd(0.0, 0.0)));
    assert!(!fresh(sgd(0.9, 0.0), sgd(0.5, 0.0)) && !fresh(Algorithm::Adam(adam), l2));
}

#[test]
fn the_chunks_in_which_steps_come_do_not_matter() {
    let texts = texts();
    let (whole, parts) = (classifier(), classifier());
    train(&whole, &texts, algorithms()[0], 0..BATCHES);
    (0..BATCHES).for_each(|batch| train(&parts, &texts, algorithms()[0], batch..batch + 1));
    assert_same(&whole, &parts, "in chunks of one batch");
}

#[test]
fn a_state_that_does_not_fit_is_refused_and_changes_nothing() {
    let texts = texts();
    let trained = classifier();
    train(&trained, &texts, algorithms()[0], 0..20);
    let state = trained.training_state().unwrap();
    let fresh = classifier();
    let before = fresh.training_state().unwrap();
    let refused = |change: &dyn Fn(&mut Vec<NamedArray>)| {
        let mut changed = state.clone();
        change(&mut changed);
        let error = fresh.restore(&changed).unwrap_err();
        assert_eq!(error.code(), ErrorCode::StateMismatch, "{error}");
        assert_eq!(fresh.training_state().unwrap(), before);
        error.message().to_string()
    };
    for (missing, NamedArray { name, .. }) in state.iter().enumerate() {
        let message = refused(&|arrays| drop(arrays.remove(missing)));
        assert!(message.contains(name.trim_start_matches(PREFIX)), "{name}: {message}");
    }
    for at in 0..state.len() {
        refused(&|arrays| {
            arrays[at] = NamedArray::list(arrays[at].name.clone(), &[1 << 20; 3]);
        });
    }
    let of = |name: &str| state.iter().position(|array| array.name == name).unwrap();
    let (last, steps, rates) = (of(LAST), of(STEPS), of(RATES));
    assert!(refused(&|a| a[last] = NamedArray::list(LAST, &[21; 700])).contains("row 0 was last moved at step 21"));
    assert!(refused(&|a| a[steps] = NamedArray::list(STEPS, &[20.0, 20.0, 5.0])).contains("8 learning rates"));
    assert!(refused(&|a| a[steps] = NamedArray::list(STEPS, &[-1.0, 20.0, 20.0])).contains("not a number of steps"));
    refused(&|a| a[rates] = NamedArray::list(RATES, &[f64::NAN; 8]));
    let extra = NamedArray::list::<i32>("training.more", &[]);
    assert!(refused(&|a| a.push(extra.clone())).contains("training.more is unknown"));
}

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// A number of a checkpoint that is any other: refused without a trace, or weights that can be looked at.
    #[test]
    fn any_number_in_a_state_is_refused_or_taken(
        (which, place) in any::<(prop::sample::Index, prop::sample::Index)>(),
        value in prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::MAX), Just(-1.0), (0u32..100).prop_map(f64::from)],
        kind in 0..7usize,
    ) {
        let trained = classifier();
        train(&trained, &texts(), algorithms()[kind], 0..20);
        let mut state = trained.training_state().unwrap();
        let array = which.index(state.len());
        let array = &mut state[array];
        let at = place.index(array.count()) * array.dtype.size();
        let bytes = match array.dtype {
            Dtype::Float32 => (value as f32).to_le_bytes().to_vec(),
            Dtype::Int32 => (value as i32).to_le_bytes().to_vec(),
            _ => value.to_le_bytes().to_vec(),
        };
        array.data[at..at + bytes.len()].copy_from_slice(&bytes);
        let fresh = classifier();
        let before = fresh.training_state().unwrap();
        match fresh.restore(&state) {
            Ok(()) => {
                prop_assert_eq!(fresh.peek().unwrap().len(), trained.state().unwrap().len());
                fresh.state().unwrap();
            }
            Err(error) => {
                prop_assert_eq!(error.code(), ErrorCode::StateMismatch);
                prop_assert_eq!(fresh.training_state().unwrap(), before);
            }
        }
    }
}
