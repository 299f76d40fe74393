//! The tokens of a vocabulary as one array of bytes. Each token is stored as a prefix of the previous token and a
//! suffix.
//!
//! Format: number of tokens (4 bytes, little-endian); for each token, the length of the shared prefix (at most 255);
//! for each token, the length of the suffix in LEB128; the suffixes. Sorted words share two thirds of their letters.

use recurra_core::{Error, ErrorCode, NamedArray, Result};

/// Name of the array in a model's file.
pub const TOKENS: &str = "vocab.tokens";

const MAX_SHARED: usize = 255;

fn damaged(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::InvalidFile, format!("array {TOKENS} is damaged: {what}"))
}

/// Packs tokens into an array.
pub fn pack_tokens<'a>(tokens: impl ExactSizeIterator<Item = &'a [u8]>) -> NamedArray {
    let count = tokens.len();
    let (mut shared, mut lengths, mut texts) = (Vec::with_capacity(count), Vec::with_capacity(count), Vec::new());
    let mut before: &[u8] = &[];
    for token in tokens {
        let same = before.iter().zip(token).take(MAX_SHARED).take_while(|(a, b)| a == b).count();
        shared.push(same as u8);
        let mut further = token.len() - same;
        while further >= 0x80 {
            lengths.push(further as u8 | 0x80);
            further >>= 7;
        }
        lengths.push(further as u8);
        texts.extend_from_slice(&token[same..]);
        before = token;
    }
    let data: Vec<u8> = [&(count as u32).to_le_bytes()[..], &shared, &lengths, &texts].concat();
    NamedArray::list(TOKENS, &data)
}

fn take_length(from: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = from.split_first()?;
        *from = rest;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Unpacks the array of [`pack_tokens`]. `add` receives each token and returns whether it is new.
///
/// # Errors
/// `InvalidFile` for incomplete bytes or a repeated token.
pub fn unpack_tokens(data: &[u8], mut add: impl FnMut(&[u8]) -> bool) -> Result<()> {
    let (count, rest) = data.split_first_chunk::<4>().ok_or_else(|| damaged("it has no number of tokens"))?;
    let count = u32::from_le_bytes(*count) as usize;
    let (shared, mut lengths) =
        rest.split_at_checked(count).ok_or_else(|| damaged(format_args!("it has no {count} tokens")))?;
    let mut texts = lengths;
    for _ in 0..count {
        take_length(&mut texts).ok_or_else(|| damaged("a length is cut"))?;
    }
    let mut token = Vec::new();
    for (number, &same) in shared.iter().enumerate() {
        let further = take_length(&mut lengths).unwrap_or_default();
        let (text, rest) = texts
            .split_at_checked(further)
            .filter(|_| usize::from(same) <= token.len())
            .ok_or_else(|| damaged(format_args!("token {number} is cut")))?;
        texts = rest;
        token.truncate(usize::from(same));
        token.extend_from_slice(text);
        if !add(&token) {
            return Err(damaged(format_args!("token {number} occurs twice")));
        }
    }
    if texts.is_empty() { Ok(()) } else { Err(damaged("it has more bytes than its tokens")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unpacked(data: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut tokens: Vec<Vec<u8>> = Vec::new();
        unpack_tokens(data, |token| {
            let fresh = !tokens.iter().any(|other| other == token);
            tokens.push(token.to_vec());
            fresh
        })?;
        Ok(tokens)
    }

    #[test]
    fn the_bytes_are_these() {
        let array = pack_tokens([&b"win"[..], b"window", b"wine"].into_iter());
        assert_eq!(array.data, b"\x03\0\0\0\x00\x03\x03\x03\x03\x01windowe");
    }

    proptest! {
        #[test]
        fn tokens_come_back(tokens in prop::collection::btree_set(prop::collection::vec(97u8..100, 0..300), 0..40)) {
            let tokens: Vec<Vec<u8>> = tokens.into_iter().collect();
            let array = pack_tokens(tokens.iter().map(Vec::as_slice));
            prop_assert_eq!(unpacked(&array.data).unwrap(), tokens);
            for end in 0..array.data.len() {
                prop_assert_eq!(unpacked(&array.data[..end]).unwrap_err().code(), ErrorCode::InvalidFile);
            }
        }

        #[test]
        fn any_bytes_are_tokens_or_a_typed_error(data in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..60)) {
            if let Err(error) = unpacked(&data) {
                prop_assert_eq!(error.code(), ErrorCode::InvalidFile);
            }
        }
    }
}
