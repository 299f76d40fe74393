//! Makes a small file of a trained model: its words' vectors in few bits, fewer words, fewer n-grams, whole numbers instead of singles.
//!
//! [`compress`] needs no rows. It knows what each step loses: of the words' vectors the squares of what changes, of the linear model
//! the squares of the scores that its features give to the rows of the training; both as shares, and each counted as much as its part
//! counts in the model's answers. Of all combinations that fit the budget it takes the one that loses least.

mod assemble;
mod model;
mod search;
mod words;

pub use model::{Budget, COMPRESSION, Compressed, Plan, Source};
pub use recurra_codes::Code;

use assemble::Assembly;
use model::Choice;
use recurra_core::{Error, ErrorCode, Result};
use search::Curves;

/// Rounds in which a choice is made again, because the file of the last one had another size than was expected.
const ROUNDS: usize = 10;

/// A file is large enough when it is this close to its budget.
const CLOSE: f64 = 0.985;

/// Makes a small file of a model; the same model and budget give the same bytes.
///
/// `stopped` is polled for whether to stop the work.
///
/// # Errors
/// `OutOfRange` about `maxBytes` for a budget that cannot be met, saying what can; `InvalidArgument` for numbers that are not finite;
/// `Aborted`; `OutOfMemory`.
pub fn compress(source: &Source<'_>, budget: &Budget, stopped: &dyn Fn() -> bool) -> Result<Compressed> {
    let check = || if stopped() { Err(Error::new(ErrorCode::Aborted, "the compression was stopped")) } else { Ok(()) };
    let mut assembly = Assembly::new(source)?;
    check()?;
    let curves = Curves::new(source, &mut assembly, budget, &check)?;
    let Some(most) = budget.max_bytes else {
        let choice = curves.whole();
        return Ok(Compressed { bytes: assembly.bytes(&choice)?, plan: curves.plan(&choice) });
    };
    let mut best: Option<(Choice, Vec<u8>)> = None;
    let mut aim = most as f64 * 0.995;
    for _ in 0..ROUNDS {
        check()?;
        let Some(choice) = curves.best(aim) else { break };
        let bytes = assembly.bytes(&choice)?;
        let size = bytes.len();
        let better = best.as_ref().is_none_or(|(before, _)| curves.lost(&choice) < curves.lost(before));
        if size <= most && better {
            best = Some((choice, bytes));
        }
        if size <= most && size as f64 >= CLOSE * most as f64 {
            break;
        }
        let again = aim * most as f64 / size as f64 * 0.997;
        // All fits already, or no choice lies between this one and the next.
        if size <= most && curves.best(again) == best.as_ref().map(|(choice, _)| choice.clone()) {
            break;
        }
        aim = again;
    }
    if best.is_none() {
        let choice = curves.least();
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
    Ok(Compressed { bytes, plan: curves.plan(&choice) })
}
