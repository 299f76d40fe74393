//! Learns word vectors from texts, on libuv's pool.

mod learned;
mod texts;
mod training;

use std::sync::{Mutex, PoisonError};

use recurra_core::{Error, ErrorCode, Result};

pub use learned::NativeWordVectors;
pub use texts::{VectorTexts, VectorTextsSize};
pub use training::{VectorOptions, VectorProgress, VectorTraining};

/// Works on a value that one thread may use at a time and that no longer exists once taken.
fn with<T, R>(place: &Mutex<Option<T>>, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
    work(place.lock().unwrap_or_else(PoisonError::into_inner).as_mut().ok_or_else(gone)?)
}

/// Takes the value.
fn taken<T>(place: &Mutex<Option<T>>) -> Result<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(gone)
}

fn gone() -> Error {
    Error::new(ErrorCode::Disposed, "the next step of the learning has started")
}
