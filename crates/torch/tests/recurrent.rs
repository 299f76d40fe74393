//! Recurrent layers against PyTorch: values, final states, and the gradient of every input and parameter.

mod common;

use common::{Golden, anywhere, assert_close, fixture, json, leaf, load, one_thread, relative_distance, shared};
use recurra_core::Cell;
use recurra_torch::autograd::{backward, grad};
use recurra_torch::packing::{pack_padded_sequence, pad_packed_sequence};
use recurra_torch::recurrent::{Options, Packing, Source, rnn, rnn_by_operators};
use recurra_torch::{Kind, Result, Tensor};
use serde_json::Value;
use std::cmp::Reverse;

const TOLERANCE: f64 = 1e-5;

/// [`rnn`] in the form of [`rnn_by_operators`].
fn rnn_of_tensor(
    input: &Tensor,
    packing: Option<Packing<'_>>,
    state: &[&Tensor],
    weights: &[&Tensor],
    options: &Options,
) -> Result<Vec<Tensor>> {
    rnn(Source::Tensor(input), packing, state, weights, options)
}

/// [`rnn`], which takes the kernels for float32, or [`rnn_by_operators`].
type Layer = fn(&Tensor, Option<Packing<'_>>, &[&Tensor], &[&Tensor], &Options) -> Result<Vec<Tensor>>;

fn cell_in(case: &Value) -> Cell {
    match (case["kind"].as_str(), case["nonlinearity"].as_str()) {
        (Some("LSTM"), _) => Cell::Lstm,
        (Some("GRU"), _) => Cell::Gru,
        (Some("RNN"), Some("relu")) => Cell::RnnRelu,
        (Some("RNN"), _) => Cell::RnnTanh,
        other => panic!("unknown kind {other:?}"),
    }
}

/// Parameter names in PyTorch's order.
fn parameters(case: &Value) -> Vec<String> {
    let sides: &[&str] = if case["bidirectional"].as_bool().unwrap() { &["", "_reverse"] } else { &[""] };
    let mut parts = vec!["weight_ih", "weight_hh"];
    if case["bias"].as_bool().unwrap() {
        parts.extend(["bias_ih", "bias_hh"]);
    }
    if case["projSize"].as_i64().unwrap() > 0 {
        parts.push("weight_hr");
    }
    let layers = case["numLayers"].as_i64().unwrap();
    (0..layers)
        .flat_map(|layer| sides.iter().map(move |side| (layer, *side)))
        .flat_map(|(layer, side)| parts.iter().map(move |part| format!("{part}_l{layer}{side}")).collect::<Vec<_>>())
        .collect()
}

fn options(case: &Value) -> Options {
    Options {
        cell: cell_in(case),
        has_biases: case["bias"].as_bool().unwrap(),
        num_layers: case["numLayers"].as_i64().unwrap(),
        dropout: 0.0,
        train: true,
        bidirectional: case["bidirectional"].as_bool().unwrap(),
        batch_first: true,
    }
}

fn initial_state(case: &Value, golden: &Golden, kind: Kind) -> Vec<Tensor> {
    let stateful = case["initialState"].as_bool().unwrap();
    let names = if cell_in(case) == Cell::Lstm { &["h0", "c0"][..] } else { &["h0"][..] };
    names
        .iter()
        .map(|name| {
            if stateful {
                return leaf(&golden[*name].to_kind(kind));
            }
            let like = if *name == "h0" { &golden["hn"] } else { &golden["cn"] };
            leaf(&like.zeros_like().to_kind(kind))
        })
        .collect()
}

/// Runs a case as PyTorch's module does: sorted by length, packed, and put back in order. Checks outputs and states; returns
/// the gradients by the names that they have in the file.
fn run(case: &Value, golden: &Golden, kind: Kind, layer: Layer) -> Vec<(String, Tensor)> {
    let name = case["name"].as_str().unwrap();
    let options = options(case);
    let x = leaf(&golden["x"].to_kind(kind));
    let names = parameters(case);
    let weights: Vec<Tensor> = names.iter().map(|name| leaf(&golden[&format!("param.{name}")].to_kind(kind))).collect();
    let weights_ref: Vec<&Tensor> = weights.iter().collect();
    let state = initial_state(case, golden, kind);

    let outputs = if case["packed"].as_bool().unwrap() {
        let lengths: Vec<i32> =
            case["lengths"].as_array().unwrap().iter().map(|length| length.as_i64().unwrap() as i32).collect();
        let mut sorted: Vec<i64> = (0..lengths.len() as i64).collect();
        sorted.sort_by_key(|&row| Reverse(lengths[row as usize]));
        let mut back = vec![0_i64; sorted.len()];
        for (place, &row) in sorted.iter().enumerate() {
            back[row as usize] = place as i64;
        }
        let (order, back) = (Tensor::from_slice(&sorted), Tensor::from_slice(&back));
        let falling: Vec<i32> = sorted.iter().map(|&row| lengths[row as usize]).collect();
        let packed = pack_padded_sequence(&x.index_select(0, &order), &falling, true, false).unwrap();
        let state: Vec<Tensor> = state.iter().map(|state| state.index_select(1, &order)).collect();
        let state: Vec<&Tensor> = state.iter().collect();
        let mut outputs =
            layer(&packed.data, Some(Packing::from(&packed.plan)), &state, &weights_ref, &options).unwrap();
        let (padded, again) = pad_packed_sequence(&outputs[0], packed.plan.batch_sizes(), true, 0.0, 0).unwrap();
        assert_eq!(again, falling, "{name}: lengths");
        outputs[0] = padded.index_select(0, &back);
        for state in &mut outputs[1..] {
            *state = state.index_select(1, &back);
        }
        outputs
    } else {
        let state: Vec<&Tensor> = state.iter().collect();
        layer(&x, None, &state, &weights_ref, &options).unwrap()
    };

    let mut loss = Tensor::from(0.0).to_kind(kind);
    for (output, part) in outputs.iter().zip(["output", "hn", "cn"]) {
        assert_close(&format!("{name} {part}"), output, &golden[part], TOLERANCE);
        loss += (output * golden[&format!("weight_on_{part}")].to_kind(kind)).sum(kind);
    }
    backward(&loss, None, false).unwrap();
    let mut leaves = vec![("grad.x".to_owned(), &x)];
    leaves.extend(names.iter().map(|parameter| format!("grad.param.{parameter}")).zip(&weights));
    if case["initialState"].as_bool().unwrap() {
        leaves.extend(["grad.h0", "grad.c0"].map(str::to_owned).into_iter().zip(&state));
    }
    let of = |(what, leaf): (String, &Tensor)| {
        let grad = grad(leaf).unwrap().unwrap_or_else(|| panic!("{name}: no {what}"));
        (what, grad)
    };
    leaves.into_iter().map(of).collect()
}

/// Expects every gradient to be PyTorch's. PyTorch's own float32 has a rounding error too, over the 567 steps of one case more
/// than the tolerance: where its values are further than that from float64, ours must be no further from it than PyTorch's.
fn check_gradients(case: &Value, golden: &Golden, gradients: &[(String, Tensor)]) {
    let name = case["name"].as_str().unwrap();
    for (what, ours) in gradients {
        let theirs = &golden[what.as_str()];
        if relative_distance(ours, theirs) <= TOLERANCE {
            continue;
        }
        let exact =
            run(case, golden, Kind::Double, rnn_by_operators).into_iter().find(|(name, _)| name == what).unwrap().1;
        let (own, rest) = (relative_distance(theirs, &exact), relative_distance(ours, &exact));
        println!("{name}: {what}: PyTorch is {own:e} from float64, we are {rest:e}");
        assert!(own > TOLERANCE && rest <= own, "{name}: {what} is {rest:e} from float64, PyTorch {own:e}");
    }
}

/// All cases where the whole golden folder is there, else those whose files are fixtures.
fn cases() -> Vec<Value> {
    let list = match shared("index.json") {
        Some(path) => json(&path)["recurrent"].clone(),
        None => json(&fixture("recurrent.json")),
    };
    list.as_array().unwrap().clone()
}

/// `strict` takes PyTorch's values as they are; else [`check_gradients`] judges.
fn run_all(kind: Kind, layer: Layer, strict: bool) {
    one_thread();
    let cases = cases();
    assert!(cases.len() >= 31, "only {} cases are listed", cases.len());
    let mut ran = 0;
    for case in &cases {
        // The golden values are float32: their own rounding over the 567 steps of these cases is above 1e-5 in the
        // weights' gradients, so they cannot judge float64.
        if kind == Kind::Double && case["name"].as_str().unwrap().ends_with("seed_shape_packed") {
            continue;
        }
        let file = format!("{}.safetensors", case["name"].as_str().unwrap());
        if let Some(path) = anywhere(&file) {
            let golden = load(&path);
            let gradients = run(case, &golden, kind, layer);
            if strict {
                for (what, ours) in &gradients {
                    assert_close(&format!("{file} {what}"), ours, &golden[what.as_str()], TOLERANCE);
                }
            } else {
                check_gradients(case, &golden, &gradients);
            }
            ran += 1;
        }
    }
    assert!(ran >= 30, "only {ran} of the cases were found");
    println!("{ran} of {} cases", cases.len());
}

#[test]
fn every_case_equals_pytorch_in_float32() {
    run_all(Kind::Float, rnn_of_tensor, false);
}

#[test]
fn every_case_through_the_operators_equals_pytorch_in_float32() {
    run_all(Kind::Float, rnn_by_operators, true);
}

#[test]
fn every_case_equals_pytorch_in_float64() {
    run_all(Kind::Double, rnn_of_tensor, true);
}

#[test]
fn packing_equals_pytorch() {
    let cases = json(&fixture("packing.json"));
    for case in cases.as_array().unwrap() {
        let numbers =
            |value: &Value| -> Vec<i64> { value.as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).collect() };
        let rows = |value: &Value| -> Tensor {
            let rows: Vec<Tensor> =
                value.as_array().unwrap().iter().map(|row| Tensor::from_slice(&numbers(row))).collect();
            Tensor::stack(&rows, 0)
        };
        let order = Tensor::from_slice(&numbers(&case["sortedIndices"]));
        let lengths = numbers(&case["lengths"]);
        let falling: Vec<i32> =
            numbers(&case["sortedIndices"]).iter().map(|&row| lengths[row as usize] as i32).collect();
        let padded = rows(&case["padded"]);
        let packed = pack_padded_sequence(&padded.index_select(0, &order), &falling, true, false).unwrap();
        assert_eq!(packed.data, Tensor::from_slice(&numbers(&case["data"])));
        let sizes: Vec<i64> = packed.plan.batch_sizes().iter().map(|&size| i64::from(size)).collect();
        assert_eq!(sizes, numbers(&case["batchSizes"]));
        let (again, back) = pad_packed_sequence(&packed.data, packed.plan.batch_sizes(), true, -1.0, 0).unwrap();
        let unsorted = Tensor::from_slice(&numbers(&case["unsortedIndices"]));
        assert_eq!(again.index_select(0, &unsorted), rows(&case["repadded"]));
        assert_eq!(back, falling);
        // Steps first gives the same, and totalLength pads further.
        let steps = padded.index_select(0, &order).transpose(0, 1);
        assert_eq!(pack_padded_sequence(&steps, &falling, false, false).unwrap().data, packed.data);
        let longer = falling[0] as i64 + 3;
        let (wide, _) = pad_packed_sequence(&packed.data, packed.plan.batch_sizes(), true, -1.0, longer).unwrap();
        assert_eq!(wide.size()[1], longer);
    }
}

#[test]
fn a_row_alone_gives_the_same_as_in_a_batch() {
    let cases = json(&fixture("recurrent.json"));
    let case = cases.as_array().unwrap().iter().find(|case| case["name"] == "lstm_bidirectional_packed").unwrap();
    let golden = load(&fixture("lstm_bidirectional_packed.safetensors"));
    let names = parameters(case);
    let weights: Vec<&Tensor> = names.iter().map(|name| &golden[&format!("param.{name}")]).collect();
    let lengths = [3_i64, 7, 1, 5];
    for (row, &length) in lengths.iter().enumerate() {
        let alone = golden["x"].narrow(0, row as i64, 1).narrow(1, 0, length);
        let zeros = Tensor::zeros([2, 1, 4], (Kind::Float, recurra_torch::Device::Cpu));
        let output = rnn(Source::Tensor(&alone), None, &[&zeros, &zeros], &weights, &options(case)).unwrap();
        let together = golden["output"].narrow(0, row as i64, 1).narrow(1, 0, length);
        assert_close("output of a row alone", &output[0], &together, TOLERANCE);
        assert_close("state of a row alone", &output[1], &golden["hn"].narrow(1, row as i64, 1), TOLERANCE);
    }
}
