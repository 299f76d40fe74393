//! The predictor of a browser: takes a model file's contents piece by piece, then texts, and returns answers.
//!
//! An instance of the module holds one model, and its memory is freed with it. JavaScript reads the file, since it has a JSON parser;
//! this crate takes numbers, UTF-16 text and arrays. The interface is C's: no generated code, and nothing that a page's content security
//! policy could refuse. Every function that may fail returns 0, or 1 with a message to be read at [`recurra_message`].
//!
//! There is one thread, no clock and no file system. Memory that cannot be had and panics end the call by an exception that JavaScript
//! throws; the instance is of no use then.

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

/// What an instance holds.
#[derive(Default)]
struct Instance {
    loader: Option<Loader>,
    model: Option<Model>,
    message: String,
}

thread_local! {
    static INSTANCE: RefCell<Instance> = RefCell::default();
}

/// Runs a step; its error becomes the message, as `CODE:text`.
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
/// `from` is what [`recurra_alloc`] gave, with room for `count` elements that have been written, and nothing changes
/// them during the cale.
unsafe fn written<'a, T>(from: *const T, count: usize) -> &'a [T] {
    // SAFETY: by the caller's promise; `recurra_alloc` aligns to 16 bytes.
    if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(from, count) } }
}

/// Room for JavaScript to write into, aligned to 16 bytes. It is given to one of the functions below, or to [`recurra_free`].
#[unsafe(no_mangle)]
pub extern "C" fn recurra_alloc(bytes: usize) -> *mut u8 {
    runtime::allocate(bytes)
}

/// Frees room that no function took.
///
/// # Safety
/// `room` is what [`recurra_alloc`] gave for this number of bytes, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_free(room: *mut u8, bytes: usize) {
    // SAFETY: by the caller's promise.
    unsafe { runtime::free(room, bytes) }
}

/// Where the message of the last failure begins; [`recurra_message_bytes`] says how long it is.
#[unsafe(no_mangle)]
pub extern "C" fn recurra_message() -> *const u8 {
    INSTANCE.with_borrow(|instance| instance.message.as_ptr())
}

/// Bytes of the message, which is UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn recurra_message_bytes() -> usize {
    INSTANCE.with_borrow(|instance| instance.message.len())
}

/// Begins a model. `settings` are the numbers that [`settings::Settings`] reads.
///
/// # Safety
/// As [`written`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_begin(settings: *const u32, count: usize) -> u32 {
    runtime::begin();
    // SAFETY: by the caller's promise.
    let settings = unsafe { written(settings, count) };
    step(|instance| {
        (instance.model, instance.loader) = (None, None);
        instance.loader = Some(Loader::new(settings)?);
        Ok(())
    })
}

/// Adds tokens to the vocabulary, in the order of their ids: their UTF-16 units one after the other, and where each ends.
///
/// # Safety
/// As [`written`], for both arrays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_tokens(units: *const u16, total: usize, ends: *const u32, count: usize) -> u32 {
    // SAFETY: by the caller's promise.
    let (units, ends) = unsafe { (written(units, total), written(ends, count)) };
    step(|instance| loader(instance)?.tokens(units, ends))
}

/// What a tagger never predicts: a flag for each first tag, for each last one, and for each pair of them.
///
/// # Safety
/// As [`written`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_forbid(flags: *const u8, count: usize) -> u32 {
    // SAFETY: by the caller's promise.
    let flags = unsafe { written(flags, count) };
    step(|instance| loader(instance)?.forbid(flags))
}

/// Adds an array of the file. Its data were written into room of [`recurra_alloc`], which the model keeps.
///
/// # Safety
/// As [`written`], for name, shape and data; the data are not used by JavaScript any more.
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
    // SAFETY: by the caller's promise.
    let (name, dtype, shape) =
        unsafe { (written(name, name_bytes), written(dtype, dtype_bytes), written(shape, dims)) };
    // SAFETY: by the caller's promise.
    let data = unsafe { runtime::Room::adopt(data, data_bytes) };
    step(|instance| loader(instance)?.array(member as usize, name, dtype, shape, data))
}

/// Makes the model of what was given.
#[unsafe(no_mangle)]
pub extern "C" fn recurra_finish() -> u32 {
    step(|instance| {
        let loader = instance.loader.take().ok_or_else(out_of_order)?;
        instance.model = Some(loader.finish()?);
        Ok(())
    })
}

/// Whether JavaScript must make a text lower case before it is given to [`recurra_predict`] a second time.
///
/// # Safety
/// As [`written`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_needs_lower(text: *const u16, units: usize) -> u32 {
    // SAFETY: by the caller's promise.
    let text = unsafe { written(text, units) };
    INSTANCE.with_borrow(|instance| {
        matches!(&instance.model, Some(Model::Classifier(model)) if model.needs_lower(text)).into()
    })
}

/// Labels a text: `text` is what was given, `lowered` the same in lower case where [`recurra_needs_lower`] asks for that, else
/// `text` once more. The answer is at [`recurra_answer`].
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
    // SAFETY: by the caller's promise.
    let (text, lowered) = unsafe { (written(text, units), written(lowered, lowered_units)) };
    step(|instance| model(instance)?.classifier()?.predict(text, lowered))
}

/// Labels a text whose tokens JavaScript has looked up, for a tokenizer that only JavaScript has.
///
/// # Safety
/// As [`written`], for ids and text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_predict_ids(ids: *const i32, count: usize, text: *const u16, units: usize) -> u32 {
    // SAFETY: by the caller's promise.
    let (ids, text) = unsafe { (written(ids, count), written(text, units)) };
    step(|instance| model(instance)?.classifier()?.predict_ids(ids, text))
}

/// The different words of the sentence to come, for a tagger that sees their characters: their UTF-16 units one after the other, where
/// each ends, and the id of each in the vocabulary. The tokens of [`recurra_tag`] are then numbers of these words.
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
    // SAFETY: by the caller's promise.
    let (units, ends, ids) = unsafe { (written(units, total), written(ends, count), written(ids, count)) };
    step(|instance| model(instance)?.tagger()?.forms(units, ends, ids))
}

/// Tags the tokens of a sentence, in rows of these lengths. The answer is at [`recurra_answer`].
///
/// # Safety
/// As [`written`], for both arrays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_tag(tokens: *const i32, count: usize, lengths: *const i32, rows: usize) -> u32 {
    // SAFETY: by the caller's promise.
    let (tokens, lengths) = unsafe { (written(tokens, count), written(lengths, rows)) };
    step(|instance| model(instance)?.tagger()?.tag(tokens, lengths))
}

/// Begins a text of nothing under a number that no other text has; [`recurra_kernels::generate::Sampling`] says what the options mean.
/// `end` is the unit that ends it.
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
    // SAFETY: by the caller's promise.
    let never = unsafe { written(never, count) }.to_vec();
    let sampling = Sampling { temperature, top_k, top_p, repetition_penalty, never };
    step(|instance| model(instance)?.language()?.begin(number, sampling, seed as u64, end))
}

/// Reads units as a text's next ones, and then writes up to `most` further ones, to be read at [`recurra_written`].
///
/// # Safety
/// As [`written`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recurra_write(number: u32, units: *const i32, count: usize, most: usize) -> u32 {
    // SAFETY: by the caller's promise.
    let units = unsafe { written(units, count) };
    step(|instance| model(instance)?.language()?.write(number, units, most))
}

/// Where the result of [`recurra_write`] is: 1 if the text has ended, else 0; then the units. [`recurra_written_count`] says how many
/// numbers that are.
#[unsafe(no_mangle)]
pub extern "C" fn recurra_written() -> *const i32 {
    last_written(<[i32]>::as_ptr)
}

/// Numbers at [`recurra_written`].
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

/// Where the last answer is. For a text, a probability for each label, then the tokens that were read, and how many of
/// them are known; of a sentence for each token its tag, the tag's probability, and the probability that it and the
/// next token's tag are both right.
#[unsafe(no_mangle)]
pub extern "C" fn recurra_answer() -> *const f32 {
    INSTANCE.with_borrow(|instance| instance.model.as_ref().map_or(std::ptr::null(), Model::answer))
}

#[cfg(test)]
mod tests;
