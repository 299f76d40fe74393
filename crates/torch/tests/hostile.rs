//! Wrong arguments give typed errors, and never reach libtorch where it would crash.

mod common;

use recurra_core::{
    Cell, Chunk, Decoder, HeadConfig, LossOptions, NetworkConfig, OptimizerKind, StepOptions, SubwordsConfig,
    TagsConfig, Targets,
};
use recurra_torch::autograd::{backward, set_grad, set_requires_grad};
use recurra_torch::context::{parse_device, parse_dtype, set_num_threads};
use recurra_torch::functional::{BagMode, cross_entropy, embedding, embedding_bag, linear};
use recurra_torch::network::{Network, Place};
use recurra_torch::packing::{pack_padded_sequence, pad_packed_sequence};
use recurra_torch::recurrent::{CellWeights, Options, Packing, Source, cell, cell_of, rnn, rnn_by_operators};
use recurra_torch::tensor::{convert, create, inplace, math, reduce, shape};
use recurra_torch::{Device, ErrorCode, Kind, Reduction, Result, Tensor};

fn zeros(dims: &[i64]) -> Tensor {
    Tensor::zeros(dims, (Kind::Float, Device::Cpu))
}

#[track_caller]
fn refused<T>(result: Result<T>, code: ErrorCode, part: &str) {
    match result {
        Ok(_) => panic!("was accepted; expected {code:?} with '{part}'"),
        Err(error) => {
            assert_eq!(error.code(), code, "{}", error.message());
            assert!(error.message().contains(part), "'{part}' is not in: {}", error.message());
        }
    }
}

const LSTM: Options = Options {
    cell: Cell::Lstm,
    has_biases: true,
    num_layers: 1,
    dropout: 0.0,
    train: true,
    bidirectional: false,
    batch_first: true,
};

/// An LSTM with 3 inputs and 2 hidden units over 2 packed rows of lengths 3 and 1.
fn lstm(
    data: &Tensor,
    batch_sizes: &[i32],
    state: &[&Tensor],
    weights: &[Tensor],
    options: &Options,
) -> Result<Vec<Tensor>> {
    rnn(
        Source::Tensor(data),
        Some(Packing::new(batch_sizes, None)),
        state,
        &weights.iter().collect::<Vec<_>>(),
        options,
    )
}

fn weights() -> Vec<Tensor> {
    vec![zeros(&[8, 3]), zeros(&[8, 2]), zeros(&[8]), zeros(&[8])]
}

#[test]
fn a_cell_runs_where_libtorch_has_it_and_is_refused_elsewhere() {
    for kind in Cell::ALL {
        let rows = kind.gates() as i64 * 2;
        let (x, ih, hh) = (zeros(&[1, 4, 3]), zeros(&[rows, 3]), zeros(&[rows, 2]));
        let (row, h) = (zeros(&[1, 3]), zeros(&[1, 2]));
        let state = [&h, &h];
        let step = CellWeights { ih: &ih, hh: &hh, bias_ih: None, bias_hh: None };
        let options = Options { cell: kind, has_biases: false, ..LSTM };
        let results = [
            rnn(Source::Tensor(&x), None, &[], &[&ih, &hh], &options),
            rnn_by_operators(&x, None, &[], &[&ih, &hh], &options),
            cell(kind, &row, &state[..kind.states()], &step),
        ];
        for result in results {
            match kind.torch_mode() {
                Some(_) => assert!(result.is_ok(), "{kind:?}: {:?}", result.err()),
                None => refused(result, ErrorCode::InvalidArgument, "libtorch has no"),
            }
        }
    }
}

#[test]
fn a_wrong_initial_state_is_refused_also_for_packed_input() {
    let (data, h) = (zeros(&[4, 3]), zeros(&[1, 2, 2]));
    lstm(&data, &[2, 1, 1], &[&h, &h], &weights(), &LSTM).unwrap();
    for wrong in [&[1, 2][..], &[2, 2, 2], &[1, 1, 2], &[1, 3, 2], &[1, 2, 3], &[0, 2, 2]] {
        refused(lstm(&data, &[2, 1, 1], &[&zeros(wrong), &h], &weights(), &LSTM), ErrorCode::InvalidShape, "h0");
        refused(lstm(&data, &[2, 1, 1], &[&h, &zeros(wrong)], &weights(), &LSTM), ErrorCode::InvalidShape, "c0");
    }
    refused(lstm(&data, &[2, 1, 1], &[&h], &weights(), &LSTM), ErrorCode::InvalidArgument, "[h0, c0]");
    let double = h.to_kind(Kind::Double);
    refused(lstm(&data, &[2, 1, 1], &[&double, &h], &weights(), &LSTM), ErrorCode::InvalidDtype, "float64");
}

#[test]
fn batch_sizes_that_libtorch_would_read_past_are_refused() {
    let (data, h) = (zeros(&[4, 3]), zeros(&[1, 2, 2]));
    let run = |sizes: &[i32]| lstm(&data, sizes, &[&h, &h], &weights(), &LSTM);
    refused(run(&[]), ErrorCode::InvalidArgument, "empty");
    refused(run(&[1, 2, 1]), ErrorCode::InvalidArgument, "grow");
    refused(run(&[2, 0, 2]), ErrorCode::InvalidArgument, "positive");
    refused(run(&[2, -1, 3]), ErrorCode::InvalidArgument, "positive");
    refused(run(&[2, 2, 2]), ErrorCode::InvalidArgument, "sum");
    refused(run(&[2, 1]), ErrorCode::InvalidArgument, "sum");
    refused(pad_packed_sequence(&data, &[1, 3], true, 0.0, 0), ErrorCode::InvalidArgument, "grow");
    refused(pad_packed_sequence(&data, &[2, 1, 1], true, 0.0, 2), ErrorCode::InvalidArgument, "totalLength");
    refused(pad_packed_sequence(&zeros(&[]), &[1], true, 0.0, 0), ErrorCode::InvalidShape, "dimension");
}

#[test]
fn wrong_weights_and_inputs_of_a_recurrent_layer_are_refused() {
    let (data, h) = (zeros(&[4, 3]), zeros(&[1, 2, 2]));
    let run = |weights: &[Tensor], options: &Options| lstm(&data, &[2, 1, 1], &[&h, &h], weights, options);
    refused(run(&weights()[..3], &LSTM), ErrorCode::InvalidArgument, "need 4 weights");
    refused(run(&[], &LSTM), ErrorCode::InvalidArgument, "weights");
    refused(run(&weights(), &Options { num_layers: 0, ..LSTM }), ErrorCode::InvalidArgument, "numLayers");
    refused(run(&weights(), &Options { num_layers: 2, ..LSTM }), ErrorCode::InvalidArgument, "need 8 weights");
    refused(run(&weights(), &Options { dropout: 1.5, ..LSTM }), ErrorCode::InvalidArgument, "dropout");
    for (index, name) in ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"].into_iter().enumerate() {
        let mut wrong = weights();
        wrong[index] = if index < 2 { zeros(&[7, 3]) } else { zeros(&[7]) };
        refused(run(&wrong, &LSTM), ErrorCode::InvalidShape, name);
    }
    let mut wrong = weights();
    wrong[2] = wrong[2].to_kind(Kind::Double);
    refused(run(&wrong, &LSTM), ErrorCode::InvalidDtype, "weight");
    let run =
        |input: &Tensor| rnn(Source::Tensor(input), None, &[&h, &h], &weights().iter().collect::<Vec<_>>(), &LSTM);
    refused(run(&zeros(&[2, 3])), ErrorCode::InvalidShape, "3 dimensions");
    refused(run(&zeros(&[2, 0, 3])), ErrorCode::InvalidShape, "at least one");
    refused(run(&zeros(&[0, 4, 3])), ErrorCode::InvalidShape, "at least one");
    refused(run(&zeros(&[2, 4, 5])), ErrorCode::InvalidShape, "weight_ih_l0");
    refused(run(&zeros(&[2, 4, 3]).to_kind(Kind::Int64)), ErrorCode::InvalidDtype, "float32");
    refused(cell_of("lstm"), ErrorCode::InvalidArgument, "'LSTM'");
}

#[test]
fn lengths_that_do_not_fit_are_refused() {
    let input = zeros(&[2, 4, 3]);
    let pack = |lengths: &[i32]| pack_padded_sequence(&input, lengths, true, false);
    refused(pack(&[]), ErrorCode::InvalidArgument, "one entry per row");
    refused(pack(&[4]), ErrorCode::InvalidArgument, "one entry per row");
    refused(pack(&[4, 3, 2]), ErrorCode::InvalidArgument, "one entry per row");
    refused(pack(&[4, 0]), ErrorCode::InvalidArgument, "row 1 is 0");
    refused(pack(&[4, -2]), ErrorCode::InvalidArgument, "row 1 is -2");
    refused(pack(&[5, 1]), ErrorCode::InvalidArgument, "row 0 is 5");
    refused(pack(&[2, 3]), ErrorCode::InvalidArgument, "must fall");
    refused(pack_padded_sequence(&zeros(&[2]), &[1, 1], true, false), ErrorCode::InvalidShape, "input");
}

#[test]
fn indices_outside_their_range_are_refused() {
    let table = zeros(&[5, 2]);
    let ids = Tensor::from_slice(&[0_i64, 5]);
    refused(embedding(&table, &ids, -1), ErrorCode::OutOfRange, "holds 5");
    refused(embedding(&table, &Tensor::from_slice(&[-1_i64]), -1), ErrorCode::OutOfRange, "holds -1");
    refused(embedding(&table, &zeros(&[1]), -1), ErrorCode::InvalidDtype, "int64");
    refused(embedding(&table, &Tensor::from_slice(&[1_i64]), 5), ErrorCode::OutOfRange, "paddingIdx");
    let good = Tensor::from_slice(&[0_i64, 1]);
    let bag = |offsets: &[i64]| {
        embedding_bag(&table, &good, Some(&Tensor::from_slice(offsets)), BagMode::Sum, None, -1, None)
    };
    refused(bag(&[0, 3]), ErrorCode::OutOfRange, "offsets");
    refused(bag(&[1]), ErrorCode::InvalidArgument, "first offset");
    refused(bag(&[0, 2, 1]), ErrorCode::InvalidArgument, "fall");
    let mean = embedding_bag(&table, &good, None, BagMode::Mean, None, -1, None);
    refused(mean, ErrorCode::InvalidArgument, "offsets");
    let loss =
        |target: &[i64]| cross_entropy(&zeros(&[2, 3]), &Tensor::from_slice(target), None, Reduction::Mean, -100, 0.0);
    assert!(loss(&[0, -100]).is_ok());
    refused(loss(&[0, 3]), ErrorCode::OutOfRange, "holds 3");
    refused(loss(&[0, -1]), ErrorCode::OutOfRange, "holds -1");
    refused(loss(&[0]), ErrorCode::InvalidShape, "target");
    refused(shape::select(&table, 0, 5), ErrorCode::OutOfRange, "below 5");
    refused(shape::select(&table, 2, 0), ErrorCode::OutOfRange, "dim");
    refused(shape::index_select(&table, 0, &ids), ErrorCode::OutOfRange, "holds 5");
    refused(shape::gather(&table, 0, &Tensor::from_slice(&[9_i64, 0]).view([1, 2])), ErrorCode::OutOfRange, "holds 9");
    refused(shape::index(&table, &[Some(&ids)]), ErrorCode::OutOfRange, "holds 5");
    refused(shape::index(&table, &[None, None, Some(&good)]), ErrorCode::InvalidShape, "too many");
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    refused(math::add(&zeros(&[2]), &zeros(&[3])), ErrorCode::InvalidShape, "broadcast");
    refused(math::matmul(&zeros(&[2, 3]), &zeros(&[2, 3])), ErrorCode::InvalidShape, "matmul");
    refused(linear(&zeros(&[2, 3]), &zeros(&[4, 2]), None), ErrorCode::InvalidShape, "linear");
    refused(shape::reshape(&zeros(&[6]), &[4, -1]), ErrorCode::InvalidShape, "reshape");
    refused(shape::reshape(&zeros(&[6]), &[-1, -1]), ErrorCode::InvalidShape, "reshape");
    refused(shape::expand(&zeros(&[2]), &[3]), ErrorCode::InvalidShape, "expand");
    refused(shape::cat(&[], 0), ErrorCode::InvalidArgument, "at least one");
    refused(shape::cat(&[&zeros(&[2, 2]), &zeros(&[2, 3])], 0), ErrorCode::InvalidShape, "number 1");
    refused(shape::stack(&[&zeros(&[2]), &zeros(&[3])], 0), ErrorCode::InvalidShape, "number 1");
    refused(reduce::max_all(&zeros(&[0])), ErrorCode::InvalidShape, "empty");
    refused(reduce::sum(&zeros(&[2]), Some(&[0, -1]), false), ErrorCode::InvalidArgument, "twice");
    refused(inplace::copy_(&zeros(&[2]), &zeros(&[3])), ErrorCode::InvalidShape, "copy_");
    refused(create::from_bytes(&[0; 7], Kind::Float, &[2]), ErrorCode::InvalidShape, "needs 8 bytes");
    refused(create::zeros(&[i64::MAX, 8], Kind::Float, Device::Cpu), ErrorCode::InvalidShape, "shape");
    refused(create::arange(0.0, 1.0, 0.0, Kind::Float, Device::Cpu), ErrorCode::InvalidArgument, "step");
    refused(convert::item(&zeros(&[2])), ErrorCode::InvalidShape, "one element");
    let weights = CellWeights { ih: &zeros(&[8, 3]), hh: &zeros(&[8, 2]), bias_ih: None, bias_hh: None };
    let h = zeros(&[1, 2]);
    refused(cell(Cell::Lstm, &zeros(&[2, 3]), &[&h, &h], &weights), ErrorCode::InvalidShape, "h must be");
    refused(cell(Cell::Lstm, &zeros(&[1, 3]), &[&h], &weights), ErrorCode::InvalidArgument, "[h, c]");
    refused(cell(Cell::Gru, &zeros(&[1, 3]), &[&h], &weights), ErrorCode::InvalidShape, "weight_hh");
}

#[test]
fn gradients_where_there_are_none_are_refused() {
    let x = zeros(&[2]).set_requires_grad(true);
    refused(backward(&zeros(&[]), None, false), ErrorCode::InvalidArgument, "requires gradients");
    refused(backward(&(&x * 2.0), None, false), ErrorCode::InvalidShape, "one element");
    refused(backward(&(&x * 2.0), Some(&zeros(&[3])), false), ErrorCode::InvalidShape, "gradient");
    refused(set_grad(&x, Some(&zeros(&[3]))), ErrorCode::InvalidShape, "grad");
    refused(set_grad(&x, Some(&zeros(&[2]).to_kind(Kind::Double))), ErrorCode::InvalidDtype, "dtype");
    refused(set_requires_grad(&Tensor::from_slice(&[1_i64]), true), ErrorCode::InvalidDtype, "floating");
    refused(set_requires_grad(&(&x * 2.0), false), ErrorCode::InvalidArgument, "leaf");
    let y = (&x * &x).sum(Kind::Float);
    backward(&y, None, false).unwrap();
    // A second time the graph is gone: what to do, without the C++ stack of what libtorch said.
    let error = backward(&y, None, false).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(
        error.message().contains("retainGraph: true") && !error.message().contains("frame #"),
        "{}",
        error.message()
    );
    refused(inplace::fill_(&x, 1.0), ErrorCode::InvalidArgument, "inside noGrad");
    refused(inplace::mul_scalar_(&x, 2.0), ErrorCode::InvalidArgument, "inside noGrad");
    refused(inplace::sub_scalar_(&x, 2.0, 1.0), ErrorCode::InvalidArgument, "inside noGrad");
    refused(inplace::clamp_(&x, Some(0.0), None), ErrorCode::InvalidArgument, "inside noGrad");
}

#[test]
fn what_libtorch_throws_for_a_number_is_an_error_and_no_panic() {
    let (truth, whole) = (Tensor::from_slice(&[true]), Tensor::from_slice(&[2_i64]));
    refused(math::sub_scalar(&truth, 1.0), ErrorCode::InvalidDtype, "bool");
    refused(math::pow_scalar(&whole, -1.0), ErrorCode::InvalidDtype, "negative");
    refused(inplace::add_scalar_(&whole, 0.5, 1.0), ErrorCode::InvalidDtype, "float32, which a tensor of int64");
    refused(inplace::div_scalar_(&whole, 2.0), ErrorCode::InvalidDtype, "float32, which a tensor of int64");
    refused(inplace::clamp_(&whole, None, None), ErrorCode::InvalidArgument, "min, max or both");
    refused(inplace::mul_(&whole, &zeros(&[2])), ErrorCode::InvalidShape, "does not fit");
    refused(inplace::masked_fill_(&whole, &whole, 1.0), ErrorCode::InvalidDtype, "bool");
    refused(create::full(&[1], 1e12, Kind::Int, Device::Cpu), ErrorCode::OutOfRange, "of int32");
    refused(create::full(&[1 << 40, 1 << 18], 0.0, Kind::Float, Device::Cpu), ErrorCode::OutOfMemory, "bytes");
    let packed = pad_packed_sequence(&whole, &[1], true, f64::NEG_INFINITY, 3);
    refused(packed, ErrorCode::OutOfRange, "of int64");
}

#[test]
fn unknown_names_are_refused() {
    refused(parse_dtype("float16"), ErrorCode::InvalidDtype, "'float32'");
    refused(parse_device("gpu"), ErrorCode::InvalidDevice, "'cuda'");
    refused(parse_device("cuda:x"), ErrorCode::InvalidDevice, "'cuda:N'");
    refused(parse_device("cuda:99"), ErrorCode::InvalidDevice, "does not exist");
    refused(OptimizerKind::from_class_name("sgd"), ErrorCode::InvalidArgument, "'Adam'");
    refused(set_num_threads(0), ErrorCode::InvalidArgument, "at least 1");
}

fn config() -> NetworkConfig {
    NetworkConfig::classifier(Cell::Gru, 10, 4, 3, 2).with(|c| {
        c.encoder.padding_idx = Some(1);
        c.seed = 1;
    })
}

#[test]
fn the_classifier_refuses_what_it_cannot_train_on() {
    type Change = fn(&mut NetworkConfig);
    let wrong: [(Change, &str); 11] = [
        (|c| c.encoder.vocab_size = 0, "vocabSize"),
        (|c| c.encoder.hidden_size = 0, "hiddenSize"),
        (|c| c.encoder.num_layers = 0, "numLayers"),
        (|c| c.classes_mut().classes = 0, "numClasses"),
        (|c| c.encoder.padding_idx = Some(10), "paddingIdx"),
        (|c| c.encoder.dropouts.layers = -0.1, "dropout"),
        (|c| c.encoder.dropouts.layers = f64::NAN, "dropout"),
        (|c| c.encoder.dropouts.embedding = 1.1, "embeddingDropout"),
        (|c| c.encoder.dropouts.words = 0.1, "unknownIdx"),
        (|c| c.encoder.dropouts.words = 1.1, "wordDropout"),
        (|c| c.encoder.unknown_idx = Some(10), "unknownIdx"),
    ];
    for (change, part) in wrong {
        refused(Network::new(config().with(change), Place::default()), ErrorCode::InvalidArgument, part);
    }
    let kernels_only = config().with(|c| c.encoder.cell = Cell::MinGru);
    refused(Network::new(kernels_only, Place::default()), ErrorCode::InvalidArgument, "libtorch has no cell 'mingru'");
    let subwords = config().with(|c| c.encoder.subwords = Some(SubwordsConfig { buckets: 8, dim: 4 }));
    refused(
        Network::new(subwords, Place::default()),
        ErrorCode::InvalidArgument,
        "run on the CPU kernels, not on libtorch",
    );
    let tags = TagsConfig { tags: 2, decoder: Decoder::Crf, forbidden: None };
    let tagger = config().with(|c| c.head = HeadConfig::Tags(tags));
    refused(Network::new(tagger, Place::default()), ErrorCode::InvalidArgument, "runs on the CPU kernels only");
    let mut classifier = Network::new(config(), Place::default()).unwrap();
    let before = classifier.state().unwrap();
    let good = Chunk {
        tokens: &[2, 3, 4],
        lengths: &[2, 1],
        targets: Targets::Rows(&[0, 1]),
        batch_sizes: &[2],
        ..Chunk::default()
    };
    let options = StepOptions { learning_rates: &[0.1], ..StepOptions::default() };
    let sets = Targets::Sets { outputs: &[0, 1], starts: &[0, 1, 2] };
    for (wrong, code, part) in [
        (Chunk { tokens: &[2, 10, 4], ..good }, ErrorCode::OutOfRange, "token id 10 at place 1"),
        (Chunk { tokens: &[2, -1, 4], ..good }, ErrorCode::OutOfRange, "token id -1"),
        (Chunk { tokens: &[2, 3], ..good }, ErrorCode::InvalidShape, "there are 2 tokens"),
        (Chunk { lengths: &[3, 0], ..good }, ErrorCode::OutOfRange, "row 1 has length 0"),
        (Chunk { targets: Targets::Rows(&[0, 2]), ..good }, ErrorCode::OutOfRange, "label 2 of row 1"),
        (Chunk { targets: Targets::Rows(&[0]), ..good }, ErrorCode::InvalidShape, "2 rows but 1 labels"),
        (Chunk { targets: sets, ..good }, ErrorCode::InvalidShape, "multi-label"),
        (Chunk { batch_sizes: &[1], ..good }, ErrorCode::InvalidShape, "there are 2 rows"),
        (Chunk { batch_sizes: &[3, -1], ..good }, ErrorCode::OutOfRange, "batch 1 has -1 rows"),
    ] {
        refused(classifier.train_batches(&wrong, &options), code, part);
    }
    let loss = |weights, smoothing| LossOptions { weights, smoothing };
    for (wrong, part) in [
        (StepOptions { learning_rates: &[0.1, 0.1], ..options }, "learningRates"),
        (StepOptions { learning_rates: &[-0.1], ..options }, "lr must be"),
        (StepOptions { clip_norm: f64::NAN, ..options }, "clipGradNorm"),
        (StepOptions { loss: loss(&[1.0], 0.0), ..options }, "classWeights"),
        (StepOptions { loss: loss(&[1.0, -1.0], 0.0), ..options }, "class weight"),
        (StepOptions { loss: loss(&[], 1.0), ..options }, "labelSmoothing"),
    ] {
        refused(classifier.train_batches(&good, &wrong), ErrorCode::InvalidArgument, part);
    }
    refused(classifier.predict(&[2, 99], &[2]), ErrorCode::OutOfRange, "99");
    refused(classifier.predict(&[2], &[0]), ErrorCode::OutOfRange, "at least one token");
    assert_eq!(classifier.state().unwrap(), before);

    let mut state = before.clone();
    state[0].shape = vec![4, 10];
    state[1].dtype = recurra_core::Dtype::Float64;
    state[2].name = "rnn.other".into();
    state[3].data.pop();
    let error = classifier.load_state(&state).unwrap_err();
    assert_eq!(error.code(), ErrorCode::StateMismatch);
    for part in [
        "unexpected rnn.other",
        "rnn.weight_hh_l0 is missing",
        "embedding.weight is float32 [4, 10], expected float32 [10, 4]",
        "rnn.weight_ih_l0 is float64",
        "rnn.bias_ih_l0: ",
    ] {
        assert!(error.message().contains(part), "'{part}' is not in: {}", error.message());
    }
    assert_eq!(classifier.state().unwrap(), before);
}
