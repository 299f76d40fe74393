//! Cells, losses, embedding bags and clipping against PyTorch.

mod common;

use common::{Golden, assert_close, fixture, leaf, load, values};
use recurra_core::Cell;
use recurra_torch::autograd::{backward, dense_grad, grad, set_grad};
use recurra_torch::clip::{clip_grad_norm, clip_grad_value};
use recurra_torch::functional::{BagMode, cross_entropy, dropout, embedding, embedding_bag, linear};
use recurra_torch::recurrent::{CellWeights, cell};
use recurra_torch::tensor::{convert::clone, inplace::fill_};
use recurra_torch::{Device, Kind, Reduction, Tensor};

const TOLERANCE: f64 = 1e-5;

#[test]
fn cells_equal_pytorch() {
    let golden = load(&fixture("cells.safetensors"));
    let cases = [
        ("rnn_tanh", Cell::RnnTanh),
        ("rnn_relu", Cell::RnnRelu),
        ("lstm", Cell::Lstm),
        ("gru", Cell::Gru),
        ("gru_no_bias", Cell::Gru),
    ];
    for (name, mode) in cases {
        let get = |part: &str| golden.get(&format!("{name}.{part}")).map(leaf);
        let x = get("x").unwrap();
        let state: Vec<Tensor> = ["h0", "c0"].into_iter().take(mode.states()).filter_map(get).collect();
        let parts = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];
        let weights: Vec<Option<Tensor>> = parts.iter().map(|part| get(&format!("param.{part}"))).collect();
        let cell_weights = CellWeights {
            ih: weights[0].as_ref().unwrap(),
            hh: weights[1].as_ref().unwrap(),
            bias_ih: weights[2].as_ref(),
            bias_hh: weights[3].as_ref(),
        };
        let next = cell(mode, &x, &state.iter().collect::<Vec<_>>(), &cell_weights).unwrap();
        let mut loss = Tensor::from(0.0_f32);
        for (letter, value) in ["h", "c"].into_iter().zip(&next) {
            assert_close(&format!("{name} {letter}"), value, &golden[&format!("{name}.{letter}")], TOLERANCE);
            loss += (value * &golden[&format!("{name}.weight_on_{letter}")]).sum(Kind::Float);
        }
        backward(&loss, None, false).unwrap();
        let check = |what: &str, tensor: &Tensor| {
            let grad = grad(tensor).unwrap().unwrap();
            assert_close(&format!("{name} grad {what}"), &grad, &golden[&format!("{name}.grad.{what}")], TOLERANCE);
        };
        check("x", &x);
        check("h0", &state[0]);
        for (part, weight) in parts.iter().zip(&weights) {
            if let Some(weight) = weight {
                check(&format!("param.{part}"), weight);
            }
        }
    }
}

#[test]
fn cross_entropy_equals_pytorch() {
    let golden = load(&fixture("functional.safetensors"));
    let weight = &golden["class_weight"];
    let cases: [(&str, Option<&Tensor>, Reduction, f64); 6] = [
        ("mean", None, Reduction::Mean, 0.0),
        ("sum", None, Reduction::Sum, 0.0),
        ("none", None, Reduction::None, 0.0),
        ("weight", Some(weight), Reduction::Mean, 0.0),
        ("smoothing", None, Reduction::Mean, 0.2),
        ("weight_smoothing", Some(weight), Reduction::Mean, 0.1),
    ];
    for (name, weight, reduction, smoothing) in cases {
        let logits = leaf(&golden["logits"]);
        let loss = cross_entropy(&logits, &golden["target"], weight, reduction, -100, smoothing).unwrap();
        assert_close(name, &loss, &golden[&format!("loss.{name}")], TOLERANCE);
        backward(&loss.sum(Kind::Float), None, false).unwrap();
        assert_close(name, &grad(&logits).unwrap().unwrap(), &golden[&format!("grad.{name}")], TOLERANCE);
    }
}

fn bag(golden: &Golden, name: &str, mode: BagMode, weights: Option<&Tensor>, padding: i64) {
    let table = leaf(&golden["table"]);
    let bags = embedding_bag(&table, &golden["ids"], Some(&golden["offsets"]), mode, weights, padding, None).unwrap();
    assert_close(name, &bags, &golden[&format!("bag.{name}")], TOLERANCE);
    backward(&(&bags * &golden["upstream"]).sum(Kind::Float), None, false).unwrap();
    assert_close(name, &grad(&table).unwrap().unwrap(), &golden[&format!("grad.bag.{name}")], TOLERANCE);
}

#[test]
fn embedding_bags_equal_pytorch() {
    let golden = load(&fixture("functional.safetensors"));
    bag(&golden, "sum", BagMode::Sum, None, -1);
    bag(&golden, "mean", BagMode::Mean, None, -1);
    bag(&golden, "max", BagMode::Max, None, -1);
    bag(&golden, "padding", BagMode::Mean, None, 2);
    bag(&golden, "weighted", BagMode::Sum, Some(&golden["per_sample"]), -1);
    // Bags of equal size need no offsets.
    let ids = golden["ids"].view([5, 2]);
    let offsets = Tensor::from_slice(&[0_i64, 2, 4, 6, 8]);
    let flat = embedding_bag(&golden["table"], &golden["ids"], Some(&offsets), BagMode::Mean, None, -1, None).unwrap();
    let square = embedding_bag(&golden["table"], &ids, None, BagMode::Mean, None, -1, None).unwrap();
    assert_close("two-dimensional ids", &square, &flat, 0.0);
}

#[test]
fn the_padding_row_of_an_embedding_gets_no_gradient() {
    let table = leaf(&Tensor::rand([5, 3], (Kind::Float, Device::Cpu)));
    let ids = Tensor::from_slice(&[1_i64, 2, 1, 4]);
    let rows = embedding(&table, &ids, 1).unwrap();
    backward(&rows.sum(Kind::Float), None, false).unwrap();
    let grad = values(&dense_grad(&table).unwrap().unwrap());
    let wanted = [0.0, 0.0, 1.0, 0.0, 1.0].iter().flat_map(|&v| [v; 3]).collect::<Vec<f64>>();
    assert_eq!(grad, wanted);
}

#[test]
fn dropout_scales_what_remains_and_only_in_training() {
    let x = Tensor::ones([10_000], (Kind::Float, Device::Cpu));
    let dropped = values(&dropout(&x, 0.25, true).unwrap());
    assert!(dropped.iter().all(|&v| v == 0.0 || (v - 1.0 / 0.75).abs() < 1e-6));
    let kept = dropped.iter().filter(|&&v| v != 0.0).count();
    assert!((7_200..7_800).contains(&kept), "{kept} of 10,000 remained");
    assert_eq!(dropout(&x, 0.25, false).unwrap(), x);
}

#[test]
fn one_row_without_a_batch_has_the_same_loss() {
    let logits = Tensor::from_slice(&[0.5_f32, -1.0, 2.0]);
    let loss = |logits: &Tensor, target: &Tensor| {
        values(&cross_entropy(logits, target, None, Reduction::Mean, -100, 0.0).unwrap())
    };
    let batch = loss(&logits.view([1, 3]), &Tensor::from_slice(&[2_i64]));
    assert_eq!(loss(&logits, &Tensor::from(2_i64)), batch);
}

#[test]
fn a_clone_has_its_own_memory_and_stays_in_the_graph() {
    let x = leaf(&Tensor::from_slice(&[1_f32, 2.0]));
    let copy = clone(&x).unwrap();
    backward(&(&copy * &copy).sum(Kind::Float), None, false).unwrap();
    assert_eq!(values(&grad(&x).unwrap().unwrap()), [2.0, 4.0]);
    let plain = x.detach();
    let copy = clone(&plain).unwrap();
    fill_(&plain, 0.0).unwrap();
    assert_eq!(values(&copy), [1.0, 2.0]);
}

#[test]
fn linear_adds_its_bias() {
    let x = Tensor::from_slice(&[1_f32, 2.0]).view([1, 2]);
    let weight = Tensor::from_slice(&[1_f32, 0.0, 0.0, 1.0, 1.0, 1.0]).view([3, 2]);
    let bias = Tensor::from_slice(&[0.5_f32, 0.0, -1.0]);
    assert_eq!(values(&linear(&x, &weight, Some(&bias)).unwrap()), [1.5, 2.0, 2.0]);
}

#[test]
fn clipping_bounds_the_common_norm_and_each_value() {
    let (a, b, without) = (
        leaf(&Tensor::zeros([2], (Kind::Float, Device::Cpu))),
        leaf(&Tensor::from(0.0_f32)),
        leaf(&Tensor::from(1.0_f32)),
    );
    let give = || {
        set_grad(&a, Some(&Tensor::from_slice(&[3_f32, 0.0]))).unwrap();
        set_grad(&b, Some(&Tensor::from(-4.0_f32))).unwrap();
    };
    give();
    let norm = clip_grad_norm(&[&a, &b, &without], 1.0, 2.0).unwrap();
    assert!((norm - 5.0).abs() < 1e-6);
    assert!((values(&grad(&a).unwrap().unwrap())[0] - 0.6).abs() < 1e-6);
    assert!((values(&grad(&b).unwrap().unwrap())[0] + 0.8).abs() < 1e-6);
    give();
    assert_eq!(clip_grad_norm(&[&a, &b], 100.0, f64::INFINITY).unwrap(), 4.0);
    assert_eq!(values(&grad(&b).unwrap().unwrap()), [-4.0]);
    clip_grad_value(&[&a, &b], 2.0).unwrap();
    assert_eq!(values(&grad(&a).unwrap().unwrap()), [2.0, 0.0]);
    assert_eq!(values(&grad(&b).unwrap().unwrap()), [-2.0]);
    assert_eq!(clip_grad_norm(&[&without], 1.0, 2.0).unwrap(), 0.0);
}
