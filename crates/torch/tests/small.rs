//! The plain loops for small linear layers and losses against libtorch's operators.

mod common;

use common::{assert_close, leaf, values};
use recurra_torch::autograd::{GradMode, backward, grad};
use recurra_torch::functional::{cross_entropy, linear};
use recurra_torch::tensor::inplace::fill_;
use recurra_torch::{Device, Kind, Reduction, Tensor};

const TOLERANCE: f64 = 2e-6;

fn random(dims: &[i64]) -> Tensor {
    Tensor::randn(dims, (Kind::Float, Device::Cpu))
}

/// First and second derivatives of a function that has been called with leaves.
fn derivatives(result: &Tensor, leaves: &[&Tensor]) -> Vec<Tensor> {
    let upstream = Tensor::arange(result.numel() as i64, (Kind::Float, Device::Cpu)).cos().reshape(result.size());
    let total = (result * upstream).sum(Kind::Float);
    let mut all = Tensor::run_backward(&[&total], leaves, true, false);
    let first = Tensor::run_backward(&[&total], leaves, true, true);
    let squares = first.iter().map(|grad| grad.square().sum(Kind::Float)).reduce(|a, b| a + b).unwrap();
    all.extend(first.iter().map(Tensor::detach));
    all.extend(Tensor::run_backward(&[&squares], &leaves[..1], false, false));
    all
}

#[test]
fn a_small_linear_layer_equals_libtorchs() {
    tch::manual_seed(1);
    for (rows, inputs, outputs) in [(1, 1, 1), (3, 7, 2), (16, 32, 4), (5, 33, 17), (2, 300, 40)] {
        let (x, weight, bias) =
            (leaf(&random(&[rows, inputs])), leaf(&random(&[outputs, inputs])), leaf(&random(&[outputs])));
        let scale = (inputs as f64).sqrt() * 4.0 + rows as f64;
        for bias in [Some(&bias), None] {
            let leaves: Vec<&Tensor> = [Some(&x), Some(&weight), bias].into_iter().flatten().collect();
            let (ours, theirs) = (linear(&x, &weight, bias).unwrap(), x.linear(&weight, bias));
            assert_close("linear", &ours, &theirs, TOLERANCE * scale);
            for (ours, theirs) in derivatives(&ours, &leaves).iter().zip(derivatives(&theirs, &leaves)) {
                let size = theirs.abs().max().double_value(&[]).max(1.0);
                assert_close("gradients of linear", ours, &theirs, TOLERANCE * size * 10.0);
            }
        }
        let plain = {
            let _mode = GradMode::new(false);
            linear(&x, &weight, Some(&bias)).unwrap()
        };
        assert!(!plain.requires_grad());
        assert_close("without gradients", &plain, &linear(&x, &weight, Some(&bias)).unwrap(), 0.0);
    }
}

#[test]
fn a_small_linear_layer_computes_only_the_gradients_that_are_wanted() {
    let (x, weight) = (random(&[4, 6]), leaf(&random(&[3, 6])));
    let loss = linear(&x, &weight, None).unwrap().sum(Kind::Float);
    backward(&loss, None, false).unwrap();
    assert!(grad(&x).unwrap().is_none());
    let wanted = x.sum_dim_intlist([0_i64].as_slice(), true, Kind::Float).expand([3, 6], false);
    assert_close("gradient of the weight", &grad(&weight).unwrap().unwrap(), &wanted, 1e-5);
}

#[test]
fn a_change_of_what_a_small_layer_keeps_is_noticed() {
    let (x, weight) = (leaf(&random(&[4, 6])), leaf(&random(&[3, 6])));
    let loss = linear(&x, &weight, None).unwrap().sum(Kind::Float);
    {
        let _mode = GradMode::new(false);
        fill_(&weight, 1.0).unwrap();
    }
    let error = backward(&loss, None, false).unwrap_err();
    assert!(error.message().contains("has changed it since"), "{error}");
    // The logits of the loss may change afterwards, as in PyTorch: it keeps its own result.
    let logits = leaf(&random(&[4, 3]));
    let copy = &logits * 1.0;
    let loss = cross_entropy(&copy, &Tensor::from_slice(&[0_i64, 2, 1, 1]), None, Reduction::Mean, -100, 0.0).unwrap();
    {
        let _mode = GradMode::new(false);
        fill_(&copy, 0.0).unwrap();
    }
    backward(&loss, None, true).unwrap();
    backward(&loss, None, false).unwrap();
    let error = backward(&loss, None, false).unwrap_err();
    assert!(error.message().contains("called twice through one graph"), "{error}");
}

#[test]
fn the_cross_entropy_of_few_logits_equals_libtorchs() {
    tch::manual_seed(2);
    let targets = [0_i64, 3, -100, 2, 1, 1, 0];
    for (scale, offset) in [(1.0, 0.0), (30.0, 0.0), (1.0, 1e4), (1e-3, -500.0)] {
        let logits = leaf(&(random(&[7, 4]) * scale + offset));
        for (rows, ignored) in [(7, -100), (1, 3), (2, 3)] {
            let target = Tensor::from_slice(&targets[..rows as usize]);
            for reduction in [Reduction::Mean, Reduction::Sum] {
                let part = logits.narrow(0, 0, rows);
                let ours = cross_entropy(&part, &target, None, reduction, ignored, 0.0).unwrap();
                let theirs = part.cross_entropy_loss(&target, None::<&Tensor>, reduction, ignored, 0.0);
                let close = TOLERANCE * scale.max(1.0) * 10.0;
                assert_close("loss", &ours, &theirs, close);
                let pairs = derivatives(&ours, &[&logits]).into_iter().zip(derivatives(&theirs, &[&logits]));
                pairs.for_each(|(ours, theirs)| assert_close("gradients of the loss", &ours, &theirs, close));
            }
        }
    }
}

#[test]
fn losses_that_are_not_finite_are_what_libtorch_says() {
    let none = Tensor::from_slice(&[-100_i64, -100]);
    let some = Tensor::from_slice(&[0_i64, 1]);
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let cases = [
        ([1.0, 2.0, 3.0, 4.0], &none),
        ([1.0, nan, 3.0, 4.0], &some),
        ([nan, 1.0, 3.0, 4.0], &some),
        ([inf, 1.0, 3.0, 4.0], &some),
        ([1.0, inf, 3.0, 4.0], &some),
        ([-inf, 1.0, 3.0, 4.0], &some),
        ([-inf, -inf, 3.0, 4.0], &some),
    ];
    for (logits, target) in cases {
        let logits = Tensor::from_slice(&logits).reshape([2, 2]);
        let number = |loss: Tensor| values(&loss)[0];
        let ours = number(cross_entropy(&logits, target, None, Reduction::Mean, -100, 0.0).unwrap());
        let theirs = number(logits.cross_entropy_loss(target, None::<&Tensor>, Reduction::Mean, -100, 0.0));
        assert!(
            ours == theirs || (ours.is_nan() && theirs.is_nan()) || (ours - theirs).abs() < 1e-6,
            "{ours} {theirs}"
        );
    }
}
