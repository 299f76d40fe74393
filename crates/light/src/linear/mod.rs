//! The linear model beside a network: trained and asked on libuv's pool, for a short text at once.

mod expert;
mod labels;
mod mix;
mod progress;
mod rows;
mod store;
mod texts;

use std::sync::{Mutex, PoisonError};

pub use expert::{LinearExpert, LinearExplanation, LinearHeldOut, take_linear};
pub use mix::{ChosenMix, LinearMix, choose_mix, usual_mix};
pub use rows::{LinearOptions, LinearRows};
pub use texts::LinearTexts;

fn locked<T, R>(place: &Mutex<T>, work: impl FnOnce(&mut T) -> R) -> R {
    work(&mut place.lock().unwrap_or_else(PoisonError::into_inner))
}
