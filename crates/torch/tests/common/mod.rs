//! Reads golden files into tensors, and compares.

#![allow(dead_code, reason = "each test file uses some of it")]

use recurra_torch::{Device, Kind, Tensor};
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub type Golden = HashMap<String, Tensor>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file among the fixtures of this repository.
pub fn fixture(name: &str) -> PathBuf {
    root().join("test/fixtures/golden").join(name)
}

/// A file among the large golden files, which lie outside the repository; says aloud where it is absent.
pub fn shared(name: &str) -> Option<PathBuf> {
    let data = std::env::var("RECURRA_DATA").map_or_else(|_| root().join("../shared/data"), PathBuf::from);
    let path = data.join("../golden").join(name);
    if !path.exists() {
        eprintln!("SKIPPED {name}: it is not in the golden folder next to RECURRA_DATA (or ../shared/data)");
        return None;
    }
    Some(path)
}

/// The fixture where there is one, else the large file where that is there.
pub fn anywhere(name: &str) -> Option<PathBuf> {
    let path = fixture(name);
    if path.exists() { Some(path) } else { shared(name) }
}

pub fn load(path: &Path) -> Golden {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    let tensor = |view: safetensors::tensor::TensorView<'_>| {
        let kind = match view.dtype() {
            Dtype::F32 => Kind::Float,
            Dtype::F64 => Kind::Double,
            Dtype::I64 => Kind::Int64,
            other => panic!("unexpected dtype {other:?}"),
        };
        let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        Tensor::f_from_data_size(view.data(), &shape, kind).expect("a tensor")
    };
    file.tensors().into_iter().map(|(name, view)| (name, tensor(view))).collect()
}

pub fn json(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

pub fn values(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.detach().to_device(Device::Cpu).to_kind(Kind::Double).contiguous().view(-1);
    Vec::try_from(flat).expect("numbers")
}

/// Every element within `tolerance`, absolute plus relative.
#[track_caller]
pub fn assert_close(what: &str, ours: &Tensor, theirs: &Tensor, tolerance: f64) {
    assert_eq!(ours.size(), theirs.size(), "{what}: shape");
    for (index, (a, b)) in values(ours).into_iter().zip(values(theirs)).enumerate() {
        let allowed = tolerance + tolerance * b.abs();
        assert!((a - b).abs() <= allowed, "{what}[{index}]: {a} instead of {b}, {:e} apart", (a - b).abs());
    }
}

/// The largest distance between two tensors.
pub fn distance(a: &Tensor, b: &Tensor) -> f64 {
    values(a).into_iter().zip(values(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The largest distance between two tensors, absolute plus relative.
pub fn relative_distance(a: &Tensor, b: &Tensor) -> f64 {
    let (a, b) = (a.to_kind(Kind::Double), b.to_kind(Kind::Double));
    f64::try_from(((&a - &b).abs() / (b.abs() + 1.0)).max()).unwrap()
}

/// A leaf with its own memory that requires gradients.
pub fn leaf(tensor: &Tensor) -> Tensor {
    tensor.detach().copy().set_requires_grad(true)
}

/// Keeps libtorch on the thread of the test: tests run side by side, and OpenMP teams that fight are many times slower.
pub fn one_thread() {
    recurra_torch::context::set_num_threads(1).expect("one thread is always allowed");
}
