//! Arrays of a linear model as a file may have them: a model whose log-probabilities are numbers, or a typed error.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use recurra_core::{Dtype, ErrorCode, NamedArray};
use recurra_files::safetensors::parse;
use recurra_linear::{Counter, FeatureOptions, HeldOut, Labels, LinearModel, TrainOptions};

#[derive(Arbitrary, Debug)]
enum Change {
    /// Another byte.
    Byte(u8, u16, u8),
    /// Bytes in the place of all.
    Bytes(u8, Vec<u8>),
    Shape(u8, Vec<u16>),
    Dtype(u8, u8),
    Remove(u8),
    Twice(u8),
}

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    /// Changes of a model's arrays.
    Changes(Vec<Change>, &'a str),
    /// A whole file.
    File(&'a [u8]),
}

/// The arrays of a small model.
fn arrays() -> Vec<NamedArray> {
    static MADE: OnceLock<Vec<NamedArray>> = OnceLock::new();
    MADE.get_or_init(|| {
        let texts = ["a good film", "a bad film", "good actors", "no bank", "the goal", "the last goal"];
        let mut counter = Counter::new(FeatureOptions::default(), 1).expect("options");
        counter.add(&texts).expect("texts");
        let (featurizer, rows) = counter.finish().expect("n-grams");
        let options = TrainOptions { held_out: HeldOut::Nothing, ..TrainOptions::default() };
        let labels = Labels::One(&[0, 1, 0, 1, 2, 2]);
        LinearModel::train(&featurizer, &rows, labels, 3, &options).expect("a model").0.to_arrays()
    })
    .clone()
}

fn change(arrays: &mut Vec<NamedArray>, change: Change) {
    let (Change::Byte(which, ..)
    | Change::Bytes(which, _)
    | Change::Shape(which, _)
    | Change::Dtype(which, _)
    | Change::Remove(which)
    | Change::Twice(which)) = &change;
    if arrays.is_empty() {
        return;
    }
    let at = usize::from(*which) % arrays.len();
    let array = &mut arrays[at];
    match change {
        Change::Byte(_, place, byte) if !array.data.is_empty() => {
            let place = usize::from(place) % array.data.len();
            array.data[place] = byte;
        }
        Change::Byte(..) => {}
        Change::Bytes(_, bytes) => {
            array.shape = vec![bytes.len() / array.dtype.size()];
            array.data = bytes;
        }
        Change::Shape(_, shape) => array.shape = shape.into_iter().map(usize::from).collect(),
        Change::Dtype(_, dtype) => array.dtype = Dtype::ALL[usize::from(dtype) % Dtype::ALL.len()],
        Change::Remove(_) => drop(arrays.remove(at)),
        Change::Twice(_) => arrays.push(arrays[at].clone()),
    }
}

fn check(arrays: &[NamedArray], text: &str) {
    match LinearModel::from_arrays(arrays) {
        Err(error) => assert_eq!(error.code(), ErrorCode::InvalidFile),
        Ok(model) => {
            let logs = model.predict(&[text], 1);
            assert_eq!(logs.len(), model.classes());
            assert!(logs.iter().all(|log| !log.is_nan()));
            model.explain(text, model.classes() - 1).expect("an explanation");
            let again = LinearModel::from_arrays(&model.to_arrays()).expect("what was written");
            assert_eq!(again.predict(&[text], 1), logs);
        }
    }
}

fuzz_target!(|input: Input<'_>| {
    match input {
        Input::Changes(changes, text) => {
            let mut arrays = arrays();
            changes.into_iter().for_each(|one| change(&mut arrays, one));
            check(&arrays, text);
        }
        Input::File(bytes) => {
            if let Ok(contents) = parse(Path::new("m"), bytes) {
                check(&contents.entries, "The goal of the bank");
            }
        }
    }
});
