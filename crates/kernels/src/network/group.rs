//! What the ranks of a group tell each other about a chunk's steps before the first of them: the words that they read, and how many
//! answers they have. So each step knows which rows of the embedding travel, and what the losses of all are divided by.

use super::exchange::Exchange;
use super::params::Params;
use super::plans::{GroupStep, StepPlan};
use crate::encoder::bags::Bags;
use recurra_core::{Error, ErrorCode, Result, StepOptions};

/// One rank's part of a step.
#[derive(Default)]
struct Part {
    words: Vec<u32>,
    features: Vec<u32>,
    divisor: f64,
    answers: u64,
    rows: u64,
}

/// Gives each plan what all ranks have in its step, and the words of the others after its own.
///
/// # Errors
/// As [`Exchange::all_gather`]; `Distributed` for ranks whose networks, steps so far or numbers of batches differ.
pub(super) fn agree(
    params: &Params,
    exchange: &dyn Exchange,
    plans: &mut [StepPlan],
    options: &StepOptions<'_>,
    steps: u64,
) -> Result<()> {
    let moves_words = params.tied.is_none() && !options.freeze_embedding;
    let mut message = Vec::new();
    let [vocabulary, dims] = params.words_shape();
    let head = [vocabulary as u64, dims as u64, params.flat_size as u64, steps, plans.len() as u64];
    head.iter().for_each(|number| message.extend(number.to_le_bytes()));
    for plan in plans.iter() {
        write(&mut message, if moves_words { &plan.words.ids } else { &[] });
        write(&mut message, plan.words.bags.as_ref().map_or(&[], |bags| &bags.ids));
        let own = if plan.words.is_empty() {
            [0; 3]
        } else {
            let (layout, unit) = (&plan.words.layout, params.head.unit());
            let divisor = params.head.divisor(&plan.targets, &options.loss, layout.rows());
            [divisor.to_bits(), unit.count(layout) as u64, layout.rows() as u64]
        };
        own.iter().for_each(|number| message.extend(number.to_le_bytes()));
    }
    let messages = exchange.all_gather(&message)?;
    let mut readers: Vec<Reader<'_>> = messages.iter().map(|bytes| Reader(bytes)).collect();
    for (rank, reader) in readers.iter_mut().enumerate() {
        let theirs = [reader.number()?, reader.number()?, reader.number()?, reader.number()?, reader.number()?];
        check(&head, &theirs, (exchange.rank(), rank))?;
    }
    for plan in plans {
        let parts = readers.iter_mut().map(Reader::part).collect::<Result<Vec<Part>>>()?;
        let own = plan.words.ids.len();
        let words = extend(&mut plan.words.ids, parts.iter().map(|part| &part.words[..]), moves_words);
        plan.words.others = plan.words.ids.len() - own;
        let features = if params.features_shape().is_some() {
            let bags = plan.words.bags.get_or_insert_with(Bags::default);
            extend(&mut bags.ids, parts.iter().map(|part| &part.features[..]), true)
        } else {
            Vec::new()
        };
        plan.group = Some(GroupStep {
            divisor: parts.iter().map(|part| part.divisor).sum(),
            answers: parts.iter().map(|part| part.answers).sum(),
            rows: parts.iter().map(|part| part.rows).sum(),
            words,
            features,
        });
    }
    Ok(())
}

fn different(message: String, rank: usize) -> Error {
    Error::new(ErrorCode::Distributed, message).at_rank(u32::try_from(rank).ok())
}

/// Refuses a rank that does not train the same network in step with this one.
fn check(own: &[u64; 5], theirs: &[u64; 5], (rank, other): (usize, usize)) -> Result<()> {
    let what = ["words in the vocabulary", "numbers in a word's vector", "other weights", "steps so far", "batches"];
    for ((own, theirs), what) in own.iter().zip(theirs).zip(what) {
        if own != theirs {
            let message = format!(
                "rank {rank} and rank {other} do not train the same network in step: {own} {what} on rank {rank}, {theirs} on \
                 rank {other}"
            );
            return Err(different(message, other));
        }
    }
    Ok(())
}

/// A list: its length, and its ids in their order.
fn write(message: &mut Vec<u8>, ids: &[u32]) {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    message.extend((sorted.len() as u64).to_le_bytes());
    sorted.iter().for_each(|id| message.extend(id.to_le_bytes()));
}

/// Adds to `ids` those that only other ranks have; returns the place of each among all, sorted.
fn extend<'a>(ids: &mut Vec<u32>, lists: impl Iterator<Item = &'a [u32]>, travels: bool) -> Vec<u32> {
    if !travels {
        return Vec::new();
    }
    let mut all: Vec<u32> = lists.flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    let mut own = ids.clone();
    own.sort_unstable();
    ids.extend(all.iter().filter(|id| own.binary_search(id).is_err()));
    // All of them are in there.
    ids.iter().map(|id| all.partition_point(|other| other < id) as u32).collect()
}

/// What is left of a message.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> Result<u64> {
        let (number, rest) = self.0.split_first_chunk::<8>().ok_or_else(cut)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*number))
    }

    fn ids(&mut self) -> Result<Vec<u32>> {
        let bytes = usize::try_from(self.number()?).ok().and_then(|count| count.checked_mul(4)).ok_or_else(cut)?;
        let (ids, rest) = self.0.split_at_checked(bytes).ok_or_else(cut)?;
        self.0 = rest;
        Ok(ids.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
    }

    fn part(&mut self) -> Result<Part> {
        let (words, features) = (self.ids()?, self.ids()?);
        let divisor = f64::from_bits(self.number()?);
        Ok(Part { words, features, divisor, answers: self.number()?, rows: self.number()? })
    }
}

fn cut() -> Error {
    Error::new(ErrorCode::Distributed, "a rank's message about its batches is incomplete")
}
