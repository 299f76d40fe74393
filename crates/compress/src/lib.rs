//! Makes a small file of a trained model: its words' vectors in few bits, fewer words, fewer n-grams, whole numbers instead of singles.
//!
//! [`compress`] needs no rows. It knows what each step loses: of the words' vectors the squares of what changes, of the linear model
//! the squares of the scores that its features give to the rows of the training; both as shares, and each counted as much as its part
//! counts in the model's answers. Of all combinations that fit the budget it takes the one that loses least.

mod assemble;
mod search;
mod words;

use std::collections::HashMap;

pub use recurra_codes::Code;
use recurra_core::{Error, ErrorCode, NamedArray, Result};
use recurra_linear::LinearModel;
use recurra_text::Vocabulary;

use assemble::Assembly;
use search::{Choice, Curves};

/// A trained model.
pub struct Source<'a> {
    /// All arrays of its networks, as a file has them; none without a network.
    pub arrays: Vec<NamedArray>,
    /// The linear model beside them.
    pub linear: Option<&'a LinearModel>,
    /// The networks' share in the answers, from 0 to 1.
    pub share: f64,
    /// Its words, the rows of the matrices `embedding.weight`.
    pub vocabulary: &'a Vocabulary,
    /// Words that stay whatever the budget, as unknown and padding ones, in rising order.
    pub pinned: Vec<u32>,
    /// The word that stands for all that are left out; none where none may be left out, and all keep their numbers.
    pub unknown: Option<u32>,
    /// What the file says of the model, its words not among it.
    pub metadata: HashMap<String, String>,
}

/// What a file may take.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    /// Bytes of the file, at most.
    pub max_bytes: Option<usize>,
    /// How the words' vectors are coded; what fits best if it is not given.
    pub code: Option<Code>,
    /// Words that are kept, at most, those pinned among them.
    pub keep_words: Option<usize>,
}

/// What was done to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How the words' vectors are coded; none without a network.
    pub code: Option<Code>,
    /// Words that were kept.
    pub words: usize,
    /// N-grams of the linear model that were kept.
    pub features: usize,
    /// The largest whole number of its weights; 0 without a linear model.
    pub levels: u8,
    /// The share of the inputs' and scores' squares that is lost, from 0 on.
    pub lost: f64,
}

/// A small file.
pub struct Compressed {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What was done.
    pub plan: Plan,
}

/// Key of the metadata under which a file says what was done to its model, as JSON.
pub const COMPRESSION: &str = "compression";

/// Rounds in which a choice is made again, because the file of the last one had another size than was expected.
const ROUNDS: usize = 10;

/// A file is large enough when it is this close to its budget.
const CLOSE: f64 = 0.985;

/// Makes a small file of a model; the same model and budget give the same bytes.
///
/// `stopped` is asked now and then whether the work shall end.
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
