//! Compresses trained models: fewer bits per word vector, fewer words, fewer n-grams, integer weights.
//!
//! [`compress`] needs no rows. It knows the loss of each step: for word vectors, the squared change; for the linear
//! model, the squared scores that features contribute on the training rows. Both are relative, and weighted by the
//! part's share in the predictions. Of all combinations that fit the budget, it takes the one with the smallest loss.

mod assemble;
mod model;
mod search;
mod words;

pub use model::{Budget, COMPRESSION, Compressed, Plan, Source};
pub use recurra_codes::Code;

use assemble::Assembly;
use model::Choice;
use recurra_core::{Error, ErrorCode, Result};
use search::Search;

/// Maximum number of attempts: the size of a file is only known once it is built.
const ROUNDS: usize = 10;

/// A file is large enough at this fraction of its budget.
const CLOSE: f64 = 0.985;

/// Compresses a model. The same model and budget give the same bytes.
///
/// `stopped` is polled; the work is aborted once it returns true.
///
/// # Errors
/// `OutOfRange` about `maxBytes` for a budget that cannot be met, with the smallest possible size; `InvalidArgument`
/// for numbers that are not finite; `Aborted`; `OutOfMemory`.
pub fn compress(source: &Source<'_>, budget: &Budget, stopped: &dyn Fn() -> bool) -> Result<Compressed> {
    let check = || if stopped() { Err(Error::new(ErrorCode::Aborted, "the compression was aborted")) } else { Ok(()) };
    let mut assembly = Assembly::new(source)?;
    check()?;
    let search = Search::new(source, &mut assembly, budget, &check)?;
    let Some(most) = budget.max_bytes else {
        let choice = search.whole();
        return Ok(Compressed { bytes: assembly.bytes(&choice)?, plan: search.plan(&choice) });
    };
    let mut best: Option<(Choice, Vec<u8>)> = None;
    let mut aim = most as f64 * 0.995;
    for _ in 0..ROUNDS {
        check()?;
        let Some(choice) = search.best(aim) else { break };
        let bytes = assembly.bytes(&choice)?;
        let size = bytes.len();
        let better = best.as_ref().is_none_or(|(before, _)| search.lost(&choice) < search.lost(before));
        if size <= most && better {
            best = Some((choice, bytes));
        }
        if size <= most && size as f64 >= CLOSE * most as f64 {
            break;
        }
        let again = aim * most as f64 / size as f64 * 0.997;
        // Everything fits already, or there is no choice between this one and the next.
        if size <= most && search.best(again) == best.as_ref().map(|(choice, _)| choice.clone()) {
            break;
        }
        aim = again;
    }
    if best.is_none() {
        let choice = search.least();
        let bytes = assembly.bytes(&choice)?;
        if bytes.len() > most {
            let least = bytes.len();
            let message = format!(
                "expected at least {least} bytes, the smallest file that can be made of this model, but received {most}"
            );
            return Err(Error::new(ErrorCode::OutOfRange, message).about("maxBytes"));
        }
        best = Some((choice, bytes));
    }
    let (choice, bytes) = best.ok_or_else(|| Error::new(ErrorCode::Internal, "no choice was made"))?;
    Ok(Compressed { bytes, plan: search.plan(&choice) })
}
