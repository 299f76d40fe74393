//! Converts JavaScript strings to UTF-16 and back.

use std::ptr::null_mut;

use napi::bindgen_prelude::Array;
use napi::{Env, JsString, JsValue, check_status, sys};
use recurra_text::{Tokenizer, needs_javascript, push_units, units};

/// Units reserved before a string's length is known; most texts are shorter.
const ROOM: usize = 1 << 13;

/// Appends a JavaScript string.
pub(crate) fn read(env: Env, value: sys::napi_value, to: &mut Vec<u16>) -> napi::Result<()> {
    let mut room = ROOM;
    loop {
        to.reserve(room);
        let (start, room_now) = (to.len(), to.capacity() - to.len());
        let mut copied = 0;
        // SAFETY: the buffer has that much room after its contents, and Node writes no more.
        let status = unsafe {
            let at = to.as_mut_ptr().add(start);
            sys::napi_get_value_string_utf16(env.raw(), value, at, room_now, &mut copied)
        };
        check_status!(status)?;
        if copied + 1 < room_now {
            // SAFETY: this many units were written.
            unsafe { to.set_len(start + copied) };
            return Ok(());
        }
        // The string may have been truncated: one unit of the room is for a terminating zero. SAFETY: without a buffer,
        // Node only writes the length.
        let status = unsafe { sys::napi_get_value_string_utf16(env.raw(), value, null_mut(), 0, &mut copied) };
        check_status!(status)?;
        room = copied + 2;
    }
}

/// Appends a text in the form that a tokenizer needs. This is the only place that lowercases texts.
///
/// Rust lowercases what every version of Unicode agrees on; other texts use JavaScript's `toLowerCase`, so that a text
/// always has the same tokens in the same version of Node.
pub(crate) fn read_text(env: Env, value: sys::napi_value, tokenizer: Tokenizer, to: &mut Vec<u16>) -> napi::Result<()> {
    let start = to.len();
    read(env, value, to)?;
    if tokenizer.lowers() && needs_javascript(&to[start..]) {
        to.truncate(start);
        read(env, lower(env, value)?, to)?;
    }
    Ok(())
}

/// A string lowercased by JavaScript's `toLowerCase`.
fn lower(env: Env, text: sys::napi_value) -> napi::Result<sys::napi_value> {
    let mut function = null_mut();
    // SAFETY: Node writes one value to the given place.
    check_status!(unsafe { sys::napi_get_global(env.raw(), &mut function) })?;
    for name in [c"String", c"prototype", c"toLowerCase"] {
        let mut property = null_mut();
        // SAFETY: the object is alive, because it was just received, and the name is zero-terminated.
        let status = unsafe { sys::napi_get_named_property(env.raw(), function, name.as_ptr(), &mut property) };
        check_status!(status)?;
        function = property;
    }
    let mut lowered = null_mut();
    // SAFETY: both values are alive: the text is an argument of the current call, or an element of one.
    let status = unsafe { sys::napi_call_function(env.raw(), text, function, 0, std::ptr::null(), &mut lowered) };
    check_status!(status)?;
    Ok(lowered)
}

/// The elements of an array of strings, one at a time.
fn elements(env: Env, list: &Array<'_>, mut each: impl FnMut(sys::napi_value) -> napi::Result<()>) -> napi::Result<()> {
    for index in 0..list.len() {
        let mut element = null_mut();
        // SAFETY: the array is alive, because it is an argument of the call.
        check_status!(unsafe { sys::napi_get_element(env.raw(), list.raw(), index, &mut element) })?;
        each(element)?;
    }
    Ok(())
}

/// Concatenated texts copied out of JavaScript.
pub(crate) struct Texts {
    units: Vec<u16>,
    ends: Vec<usize>,
}

impl Texts {
    /// Copies the texts of an array in the form that a tokenizer needs.
    pub(crate) fn read(env: Env, list: &Array<'_>, tokenizer: Tokenizer) -> napi::Result<Self> {
        let mut texts = Self { units: Vec::new(), ends: Vec::with_capacity(list.len() as usize) };
        elements(env, list, |element| {
            read_text(env, element, tokenizer, &mut texts.units)?;
            texts.ends.push(texts.units.len());
            Ok(())
        })?;
        Ok(texts)
    }

    /// Number of texts.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Approximate number of tokens.
    pub(crate) fn about_tokens(&self) -> usize {
        self.units.len() / 4
    }

    /// The texts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u16]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.units[std::mem::replace(&mut start, end)..end])
    }
}

/// The elements of an array of strings in UTF-8, one at a time; a lone surrogate becomes U+FFFD.
pub(crate) fn utf8(env: Env, list: &Array<'_>, mut each: impl FnMut(&str)) -> napi::Result<()> {
    let (mut units, mut text) = (Vec::new(), String::new());
    elements(env, list, |element| {
        units.clear();
        text.clear();
        read(env, element, &mut units)?;
        text.extend(char::decode_utf16(units.iter().copied()).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
        each(&text);
        Ok(())
    })
}

/// The elements of an array of tokens, one at a time, as stored in a vocabulary.
pub(crate) fn for_each_token(
    env: Env,
    list: &Array<'_>,
    mut each: impl FnMut(&[u8]) -> napi::Result<()>,
) -> napi::Result<()> {
    let (mut text, mut bytes) = (Vec::new(), Vec::new());
    elements(env, list, |element| {
        text.clear();
        bytes.clear();
        read(env, element, &mut text)?;
        push_units(&mut bytes, &text);
        each(&bytes)
    })
}

/// A token of a vocabulary as a JavaScript string.
pub(crate) fn token_string<'env>(env: &'env Env, token: &[u8]) -> napi::Result<JsString<'env>> {
    // Node keeps a string's encoding: Latin-1 needs only one byte per character.
    if token.is_ascii() { env.create_string_latin1(token) } else { env.create_string_utf16(units(token)) }
}
