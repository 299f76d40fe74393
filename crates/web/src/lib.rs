//! The predictor for browsers. It takes the contents of a model file piece by piece, then texts, and returns
//! predictions.
//!
//! An instance of the module has one model, whose memory is freed with the instance. JavaScript reads the file, because
//! it has a JSON parser; this crate takes numbers, UTF-16 text and arrays. The interface is C's: there is no generated
//! code, and nothing that a page's content security policy could block. Functions that may fail return 0 for success,
//! or 1 and a message at [`recurra_message`].
//!
//! There is one thread, no clock and no file system. Failed allocations and panics end the call with a JavaScript
//! exception; the instance cannot be used afterwards.

#![allow(unsafe_code, reason = "a C interface")]

mod classifier;
mod language;
mod loader;
mod model;
mod runtime;
mod settings;
mod tagger;
mod words;

use std::cell::RefCell;

use loader::Loader;
use model::Model;
use recurra_core::{Error, ErrorCode, Result};
use recurra_kernels::generate::Sampling;

/// The state of an instance.
#[derive(Default)]
struct Instance {
    loader: Option<Loader>,
    model: Option<Model>,
    message: String,
}

thread_local! {
    static INSTANCE: RefCell<Instance> = RefCell::default();
}

/// Runs a step. An error becomes the message, as `CODE:text`.
fn step(work: impl FnOnce(&mut Instance) -> Result<()>) -> u32 {
    INSTANCE.with_borrow_mut(|instance| match work(instance) {
        Ok(()) => 0,
        Err(error) => {
            instance.message = format!("{}:{}", error.code().as_str(), error.message());
            1
        }
    })
}

fn out_of_order() -> Error {
    Error::new(ErrorCode::Internal, "the module was called out of order")
}

fn loader(instance: &mut Instance) -> Result<&mut Loader> {
    instance.loader.as_mut().ok_or_else(out_of_order)
}

fn model(instance: &mut Instance) -> Result<&mut Model> {
    instance.model.as_mut().ok_or_else(out_of_order)
}

/// Elements that JavaScript wrote.
///
/// # Safety
/// `from` must come from [`recurra_alloc`] and have `count` initialised elements, which nothing changes during the
/// call.
unsafe fn written<'a, T>(from: *const T, count: usize) -> &'a [T] {
    // SAFETY: guaranteed by the caller; `recurra_alloc` aligns to 16 bytes.
    if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(from, count) } }
}

/// Allocates memory that JavaScript writes into, aligned to 16 bytes. It must be passed to one of the functions below,
/// or to [`recurra_free`].
#[unsafe(no_mangle)]
pub extern "C" fn recurra_alloc(bytes: usize) -> *mut u8 {
    runtime::allocate(bytes)
}

/// Frees memory that no function took over.
///
/// # Safety
/// `room` must come from [`recurra_alloc`] with this number of bytes, and must not be used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_free(room: *mut u8, bytes: usize) {
    // SAFETY: guaranteed by the caller.
    unsafe { runtime::free(room, bytes) }
}

/// Address of the message of the last failure; its length is [`recurra_message_bytes`].
#[unsafe(no_mangle)]
pub extern "C" fn recurra_message() -> *const u8 {
    INSTANCE.with_borrow(|instance| instance.message.as_ptr())
}

/// Length of the message in bytes (UTF-8).
#[unsafe(no_mangle)]
pub extern "C" fn recurra_message_bytes() -> usize {
    INSTANCE.with_borrow(|instance| instance.message.len())
}

/// Starts loading a model. `settings` are the numbers of [`settings::Settings`].
///
/// # Safety
/// As [`written`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_begin(settings: *const u32, count: usize) -> u32 {
    runtime::begin();
    // SAFETY: guaranteed by the caller.
    let settings = unsafe { written(settings, count) };
    step(|instance| {
        (instance.model, instance.loader) = (None, None);
        instance.loader = Some(Loader::new(settings)?);
        Ok(())
    })
}

/// Adds tokens to the vocabulary, in the order of their ids: the concatenated UTF-16 units, and the end of each token.
///
/// # Safety
/// As [`written`], for both arrays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_tokens(units: *const u16, total: usize, ends: *const u32, count: usize) -> u32 {
    // SAFETY: guaranteed by the caller.
    let (units, ends) = unsafe { (written(units, total), written(ends, count)) };
    step(|instance| loader(instance)?.tokens(units, ends))
}

/// Sets a tagger's forbidden tags: a flag for each first tag, each last tag, and each pair of tags.
///
/// # Safety
/// As [`written`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_forbid(flags: *const u8, count: usize) -> u32 {
    // SAFETY: guaranteed by the caller.
    let flags = unsafe { written(flags, count) };
    step(|instance| loader(instance)?.forbid(flags))
}

/// Adds an array of the file. Its data must be in memory from [`recurra_alloc`], which the model takes over.
///
/// # Safety
/// As [`written`], for name, shape and data. JavaScript must not use the data afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_array(
    member: u32,
    name: *const u8,
    name_bytes: usize,
    dtype: *const u8,
    dtype_bytes: usize,
    shape: *const u32,
    dims: usize,
    data: *mut u8,
    data_bytes: usize,
) -> u32 {
    // SAFETY: guaranteed by the caller.
    let (name, dtype, shape) =
        unsafe { (written(name, name_bytes), written(dtype, dtype_bytes), written(shape, dims)) };
    // SAFETY: guaranteed by the caller.
    let data = unsafe { runtime::Room::adopt(data, data_bytes) };
    step(|instance| loader(instance)?.array(member as usize, name, dtype, shape, data))
}

/// Finishes loading the model.
#[unsafe(no_mangle)]
pub extern "C" fn recurra_finish() -> u32 {
    step(|instance| {
        let loader = instance.loader.take().ok_or_else(out_of_order)?;
        instance.model = Some(loader.finish()?);
        Ok(())
    })
}

/// Whether JavaScript must lowercase a text for the second argument of [`recurra_predict`].
///
/// # Safety
/// As [`written`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_needs_lower(text: *const u16, units: usize) -> u32 {
    // SAFETY: guaranteed by the caller.
    let text = unsafe { written(text, units) };
    INSTANCE.with_borrow(|instance| {
        matches!(&instance.model, Some(Model::Classifier(model)) if model.needs_lower(text)).into()
    })
}

/// Predicts the labels of a text. `lowered` is the text in lower case if [`recurra_needs_lower`] returns 1, and `text`
/// again otherwise. The prediction is at [`recurra_answer`].
///
/// # Safety
/// As [`written`], for both texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_predict(
    text: *const u16,
    units: usize,
    lowered: *const u16,
    lowered_units: usize,
) -> u32 {
    // SAFETY: guaranteed by the caller.
    let (text, lowered) = unsafe { (written(text, units), written(lowered, lowered_units)) };
    step(|instance| model(instance)?.classifier()?.predict(text, lowered))
}

/// Predicts the labels of a text whose tokens JavaScript looked up, for tokenizers that exist only in JavaScript.
///
/// # Safety
/// As [`written`], for ids and text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_predict_ids(ids: *const i32, count: usize, text: *const u16, units: usize) -> u32 {
    // SAFETY: guaranteed by the caller.
    let (ids, text) = unsafe { (written(ids, count), written(text, units)) };
    step(|instance| model(instance)?.classifier()?.predict_ids(ids, text))
}

/// Replaces the probabilities of the last text's answer by the networks' scores before softmax.
#[unsafe(no_mangle)]
pub extern "C" fn recurra_raw_scores() -> u32 {
    step(|instance| model(instance)?.classifier()?.raw_scores())
}

/// Sets the distinct words of the next sentence, for a tagger with character features: the concatenated UTF-16 units,
/// the end of each word, and its id in the vocabulary. The tokens of [`recurra_tag`] are then indices of these words.
///
/// # Safety
/// As [`written`], for all arrays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_forms(
    units: *const u16,
    total: usize,
    ends: *const u32,
    ids: *const i32,
    count: usize,
) -> u32 {
    // SAFETY: guaranteed by the caller.
    let (units, ends, ids) = unsafe { (written(units, total), written(ends, count), written(ids, count)) };
    step(|instance| model(instance)?.tagger()?.forms(units, ends, ids))
}

/// Tags the tokens of a sentence, in rows of these lengths. The prediction is at [`recurra_answer`].
///
/// # Safety
/// As [`written`], for both arrays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_tag(tokens: *const i32, count: usize, lengths: *const i32, rows: usize) -> u32 {
    // SAFETY: guaranteed by the caller.
    let (tokens, lengths) = unsafe { (written(tokens, count), written(lengths, rows)) };
    step(|instance| model(instance)?.tagger()?.tag(tokens, lengths))
}

/// Starts an empty text under a new number. The options are those of [`recurra_kernels::generate::Sampling`]; `end` is
/// the unit that ends the text.
///
/// # Safety
/// As [`written`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_text(
    number: u32,
    temperature: f64,
    top_k: usize,
    top_p: f64,
    repetition_penalty: f64,
    seed: f64,
    end: u32,
    never: *const u32,
    count: usize,
) -> u32 {
    // SAFETY: guaranteed by the caller.
    let never = unsafe { written(never, count) }.to_vec();
    let sampling = Sampling { temperature, top_k, top_p, repetition_penalty, never };
    step(|instance| model(instance)?.language()?.begin(number, sampling, seed as u64, end))
}

/// Reads units of a text, then writes up to `most` more; the result is at [`recurra_written`].
///
/// # Safety
/// As [`written`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_write(number: u32, units: *const i32, count: usize, most: usize) -> u32 {
    // SAFETY: guaranteed by the caller.
    let units = unsafe { written(units, count) };
    step(|instance| model(instance)?.language()?.write(number, units, most))
}

/// Address of the result of [`recurra_write`]: 1 if the text has ended and 0 otherwise, then the units. Its length is
/// [`recurra_written_count`].
#[unsafe(no_mangle)]
pub extern "C" fn recurra_written() -> *const i32 {
    last_written(<[i32]>::as_ptr)
}

/// Number of elements at [`recurra_written`].
#[unsafe(no_mangle)]
pub extern "C" fn recurra_written_count() -> usize {
    last_written(<[i32]>::len)
}

fn last_written<T>(of: impl FnOnce(&[i32]) -> T) -> T {
    INSTANCE.with_borrow(|instance| match &instance.model {
        Some(Model::Language(model)) => of(model.written()),
        _ => of(&[]),
    })
}

/// Frees a text.
#[unsafe(no_mangle)]
pub extern "C" fn recurra_end_text(number: u32) -> u32 {
    step(|instance| {
        model(instance)?.language()?.end(number);
        Ok(())
    })
}

/// Address of the last prediction. For a text: a probability per label, then the number of tokens read and of known
/// ones. For a sentence: for each token its tag, the tag's probability, and the probability that it and the next
/// token's tag are both correct.
#[unsafe(no_mangle)]
pub extern "C" fn recurra_answer() -> *const f32 {
    INSTANCE.with_borrow(|instance| instance.model.as_ref().map_or(std::ptr::null(), Model::answer))
}

#[cfg(test)]
mod tests;
