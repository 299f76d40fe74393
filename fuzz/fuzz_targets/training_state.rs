//! A checkpoint's state with changes that a file may have: taken over, and then trained with, or refused without a trace.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use recurra_core::{
    AdamOptions, Algorithm, Cell, Chunk, Dtype, Element, ErrorCode, NamedArray, NetworkConfig, Pooling, SgdOptions,
    StepOptions, Targets,
};
use recurra_kernels::network::Network;

#[derive(Arbitrary, Debug)]
struct Input {
    algorithm: u8,
    /// Steps before the state is taken.
    steps: u8,
    changes: Vec<(u8, Change)>,
}

#[derive(Arbitrary, Debug)]
enum Change {
    Remove,
    Twice,
    Rename(String),
    Shape(Vec<u16>),
    Floats(Vec<f32>),
    Integers(Vec<i32>),
    Doubles(Vec<f64>),
    Value(u16, f64),
    Swap(u8),
}

const WORDS: usize = 12;

fn network() -> Network {
    let config = NetworkConfig::classifier(Cell::Gru, WORDS, 3, 2, 2).with(|c| {
        c.classes_mut().pooling = Pooling::Attention;
        c.encoder.padding_idx = Some(1);
    });
    Network::new(config).expect("a network")
}

fn algorithm(number: u8) -> Algorithm {
    let adam = AdamOptions::default();
    let sgd = SgdOptions { momentum: 0.9, ..SgdOptions::default() };
    match number % 6 {
        0 => Algorithm::Adam(adam),
        1 => Algorithm::AdamW(AdamOptions { weight_decay: 0.1, ..adam }),
        2 => Algorithm::Adam(AdamOptions { amsgrad: true, ..adam }),
        3 => Algorithm::Sgd(sgd),
        4 => Algorithm::Sgd(SgdOptions { weight_decay: 0.01, ..sgd }),
        _ => Algorithm::Sgd(SgdOptions::default()),
    }
}

fn train(network: &Network, algorithm: Algorithm, steps: usize) -> Result<(), ErrorCode> {
    let tokens: Vec<i32> = (0..steps * 2).map(|n| (n * 5 % WORDS) as i32).collect();
    let chunk = Chunk {
        tokens: &tokens,
        lengths: &vec![2; steps],
        targets: Targets::Rows(&(0..steps as i32).map(|n| n % 2).collect::<Vec<_>>()),
        batch_sizes: &vec![1; steps],
    };
    let rates = vec![0.01; steps];
    let options = StepOptions { learning_rates: &rates, algorithm, ..StepOptions::default() };
    network.train_batches(&chunk, &options).map(drop).map_err(|error| error.code())
}

/// Gives an array other values; its shape stays.
fn replace<T: Element>(array: &mut NamedArray, values: &[T]) {
    (array.dtype, array.data) = (T::DTYPE, T::to_bytes(values));
}

fn change(state: &mut Vec<NamedArray>, at: usize, change: Change) {
    match change {
        Change::Remove => drop(state.remove(at)),
        Change::Twice => state.push(state[at].clone()),
        Change::Rename(name) => state[at].name = format!("training.{name}"),
        Change::Shape(shape) => state[at].shape = shape.into_iter().map(usize::from).collect(),
        Change::Floats(values) => replace(&mut state[at], &values),
        Change::Integers(values) => replace(&mut state[at], &values),
        Change::Doubles(values) => replace(&mut state[at], &values),
        Change::Value(place, value) if state[at].count() > 0 => {
            let array = &mut state[at];
            let place = usize::from(place) % array.count() * array.dtype.size();
            let bytes = match array.dtype {
                Dtype::Float32 => f32::to_bytes(&[value as f32]),
                Dtype::Int32 => i32::to_bytes(&[value as i32]),
                _ => f64::to_bytes(&[value]),
            };
            array.data[place..place + bytes.len()].copy_from_slice(&bytes);
        }
        Change::Value(..) => (),
        Change::Swap(other) => {
            let other = usize::from(other) % state.len();
            state.swap(at, other);
        }
    }
}

fuzz_target!(|input: Input| {
    let algorithm = algorithm(input.algorithm);
    let trained = network();
    train(&trained, algorithm, usize::from(input.steps % 40) + 1).expect("a training");
    let mut state = trained.training_state().expect("a state");
    for (at, how) in input.changes.into_iter().take(8) {
        if !state.is_empty() {
            let at = usize::from(at) % state.len();
            change(&mut state, at, how);
        }
    }
    let fresh = network();
    let before = fresh.training_state().expect("a state");
    match fresh.restore(&state) {
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::StateMismatch, "{error}");
            assert_eq!(fresh.training_state().expect("a state"), before);
        }
        Ok(()) => {
            let result = train(&fresh, algorithm, 3);
            assert_ne!(result, Err(ErrorCode::Internal));
            fresh.peek().expect("weights");
            fresh.state().expect("weights");
        }
    }
});
