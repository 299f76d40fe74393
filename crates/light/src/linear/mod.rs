//! The linear model that complements a network: trained and used on libuv's pool, or synchronously for a short text.

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
