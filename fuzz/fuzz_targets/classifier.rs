//! Configurations, states and batches as a caller or a file may give them: valid ones are computed, others are an
//! error.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use recurra_core::{
    Cell, Chunk, ClassesConfig, Dropouts, Dtype, EncoderConfig, ErrorCode, HeadConfig, NamedArray, NetworkConfig,
    Pooling, StepOptions, Targets,
};
use recurra_kernels::network::Network;

#[derive(Arbitrary, Debug)]
struct Input {
    sizes: [u8; 5],
    cell: u8,
    flags: u8,
    padding: Option<u8>,
    unknown: Option<u8>,
    tokens: Vec<i8>,
    lengths: Vec<i8>,
    labels: Vec<i8>,
    batch_sizes: Vec<i8>,
    offsets: Vec<u8>,
    rates: Vec<f32>,
    /// Which tensor of the state is changed, and how.
    change: Option<(u8, u8)>,
}

fn config(input: &Input) -> NetworkConfig {
    let [words, dims, hidden, layers, classes] = input.sizes.map(usize::from);
    let bit = |n: u8| input.flags >> n & 1 == 1;
    NetworkConfig {
        encoder: EncoderConfig {
            num_layers: layers % 4,
            bidirectional: bit(2),
            dropouts: Dropouts {
                words: if bit(3) { 0.25 } else { 0.0 },
                embedding: if bit(3) { 0.5 } else { 0.0 },
                features: 0.0,
                layers: if bit(4) { 0.5 } else { 0.0 },
            },
            unknown_idx: input.unknown.map(u32::from),
            padding_idx: input.padding.map(u32::from),
            ..EncoderConfig::new(Cell::ALL[usize::from(input.cell) % Cell::ALL.len()], words, dims % 40, hidden % 40)
        },
        head: HeadConfig::Classes(ClassesConfig {
            classes: classes % 9,
            multi_label: bit(7),
            pooling: Pooling::ALL[usize::from(input.flags >> 5 & 3)],
        }),
        seed: 1,
        threads: 1,
    }
}

fn changed(mut state: Vec<NamedArray>, (which, how): (u8, u8)) -> Vec<NamedArray> {
    let at = usize::from(which) % state.len();
    match how % 6 {
        0 => state[at].shape.reverse(),
        1 => drop(state[at].data.pop()),
        2 => state[at].dtype = Dtype::Int32,
        3 => drop(state.remove(at)),
        4 => state.push(state[at].clone()),
        _ => state[at].name.push('x'),
    }
    state
}

fuzz_target!(|input: Input| {
    let numbers = |list: &[i8]| list.iter().map(|&n| i32::from(n)).collect::<Vec<_>>();
    let Ok(network) = Network::new(config(&input)) else { return };
    if let Some(change) = input.change {
        let state = network.state().expect("a state");
        let before = state.clone();
        if network.load_state(&changed(state, change)).is_err() {
            assert_eq!(network.state().expect("a state"), before);
        }
    }
    let (tokens, lengths) = (numbers(&input.tokens), numbers(&input.lengths));
    let (labels, batch_sizes) = (numbers(&input.labels), numbers(&input.batch_sizes));
    let rates: Vec<f64> = input.rates.iter().map(|&rate| f64::from(rate)).collect();
    let label_offsets: Vec<u32> = input.offsets.iter().map(|&n| u32::from(n)).collect();
    let targets = if label_offsets.is_empty() {
        Targets::Rows(&labels)
    } else {
        Targets::Sets { outputs: &labels, starts: &label_offsets }
    };
    let chunk = Chunk { tokens: &tokens, lengths: &lengths, targets, batch_sizes: &batch_sizes };
    let options = StepOptions { learning_rates: &rates, ..StepOptions::default() };
    for result in [
        network.train_batches(&chunk, &options).map(drop),
        network
            .predict(&tokens, &lengths)
            .map(|p| assert_eq!(p.len(), lengths.len() * network.config().head.outputs())),
    ] {
        assert!(result.is_ok() || result.is_err_and(|error| error.code() != ErrorCode::Internal));
    }
});
