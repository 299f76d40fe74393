//! Round trips of models and arrays, and invalid arrays.

mod common;

use std::sync::OnceLock;

use common::{counted, data};
use proptest::prelude::*;
use recurra_core::Dtype;
use recurra_linear::{ErrorCode, HeldOut, Labels, LinearModel, NamedArray, TrainOptions};

fn arrays() -> Vec<NamedArray> {
    static MADE: OnceLock<Vec<NamedArray>> = OnceLock::new();
    MADE.get_or_init(|| {
        let (texts, labels) = data(60, 3);
        let (featurizer, rows) = counted(&texts, 1);
        let options = TrainOptions { held_out: HeldOut::Nothing, ..TrainOptions::default() };
        LinearModel::train(&featurizer, &rows, Labels::One(&labels), 3, &options).unwrap().0.to_arrays()
    })
    .clone()
}

#[test]
fn a_model_comes_back_bit_for_bit() {
    let arrays = arrays();
    let model = LinearModel::from_arrays(&arrays).unwrap();
    assert_eq!(model.to_arrays(), arrays);
    assert_eq!(model.bytes(), arrays.iter().map(|array| array.data.len()).sum::<usize>());
}

fn code(arrays: &[NamedArray]) -> ErrorCode {
    LinearModel::from_arrays(arrays).unwrap_err().code()
}

#[test]
fn damaged_arrays_are_refused() {
    for at in 0..arrays().len() {
        let mut missing = arrays();
        let array = missing.remove(at);
        assert_eq!(code(&missing), ErrorCode::InvalidFile, "{} is missing", array.name);
        let mut twice = arrays();
        twice.push(array.clone());
        assert_eq!(code(&twice), ErrorCode::InvalidFile, "{} is there twice", array.name);
        let changes: [fn(&mut NamedArray); 5] = [
            |array| array.data.truncate(array.data.len() - 1),
            |array| array.shape = vec![usize::MAX, 2],
            |array| array.shape = vec![usize::MAX / 2 + 1, 2, 2],
            |array| array.dtype = if array.dtype == Dtype::Uint8 { Dtype::Int8 } else { Dtype::Uint8 },
            |array| {
                array.shape = vec![0];
                array.data.clear();
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = arrays();
            change(&mut changed[at]);
            assert_eq!(code(&changed), ErrorCode::InvalidFile, "{} with change {number}", array.name);
        }
    }
}

#[test]
fn numbers_that_no_model_has_are_refused() {
    for (name, value) in [("scales", f32::NAN), ("scales", -1.0), ("bias", f32::INFINITY), ("sharpness", f32::NAN)] {
        let mut arrays = arrays();
        let array = arrays.iter_mut().find(|array| array.name == format!("linear.{name}")).unwrap();
        array.data[..4].copy_from_slice(&value.to_le_bytes());
        assert_eq!(code(&arrays), ErrorCode::InvalidFile, "{name} {value}");
    }
    // Version, longest n-grams, number of labels, multi-label flag, rows, features.
    for (at, value) in [(0, 2), (1, 4), (4, 9), (5, 0), (5, u32::MAX), (6, 2), (7, 1), (9, 1)] {
        let mut arrays = arrays();
        arrays[0].data[4 * at..4 * at + 4].copy_from_slice(&u32::to_le_bytes(value));
        assert_eq!(code(&arrays), ErrorCode::InvalidFile, "{value} at {at}");
    }
}

proptest! {
    /// Set `PROPTEST_CASES` for a longer run.
    #[test]
    fn any_bytes_are_a_model_or_a_typed_error(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>())),
    ) {
        let mut arrays = arrays();
        for (array, at, byte) in changes {
            let array = array.index(arrays.len());
            let data = &mut arrays[array].data;
            let at = at.index(data.len());
            data[at] = byte;
        }
        if let Some((array, length)) = cut {
            let array = array.index(arrays.len());
            let length = length.index(arrays[array].data.len() + 1);
            arrays[array].data.truncate(length);
            arrays[array].shape = vec![length];
        }
        match LinearModel::from_arrays(&arrays) {
            Ok(model) => {
                let logs = model.predict(&["The goal of the bank"], 1);
                prop_assert_eq!(logs.len(), model.classes());
                prop_assert!(logs.iter().all(|log| !log.is_nan()));
                model.explain("The goal of the bank", 0).unwrap();
            }
            Err(error) => prop_assert_eq!(error.code(), ErrorCode::InvalidFile),
        }
    }
}
