//! Conversion between UTF-16 that may be ill-formed and WTF-8 bytes: UTF-8, with three bytes for a lone surrogate.
//! Distinct JavaScript strings have distinct bytes.

/// Appends a code point or a lone surrogate.
#[inline]
pub(crate) fn push(to: &mut Vec<u8>, point: u32) {
    let last = |shift: u32| 0x80 | (point >> shift & 0x3f) as u8;
    match point {
        0..0x80 => to.push(point as u8),
        0x80..0x800 => to.extend([0xc0 | (point >> 6) as u8, last(0)]),
        0x800..0x1_0000 => to.extend([0xe0 | (point >> 12) as u8, last(6), last(0)]),
        _ => to.extend([0xf0 | (point >> 18) as u8, last(12), last(6), last(0)]),
    }
}

/// Like [`push`], but joins a low surrogate with a high surrogate at the end of the bytes.
#[inline]
pub(crate) fn push_joined(to: &mut Vec<u8>, point: u32) {
    if let (0xdc00..0xe000, Some(&[0xed, second @ 0xa0..0xb0, third])) = (point, to.last_chunk::<3>()) {
        let high = 0xd000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f);
        to.truncate(to.len() - 3);
        push(to, 0x1_0000 + ((high - 0xd800) << 10) + (point - 0xdc00));
    } else {
        push(to, point);
    }
}

/// The code point or lone surrogate at a position, and its number of units.
#[inline]
pub(crate) fn point_at(text: &[u16], at: usize) -> (u32, usize) {
    let unit = u32::from(text[at]);
    match text.get(at + 1) {
        Some(&low @ 0xdc00..0xe000) if (0xd800..0xdc00).contains(&unit) => {
            (0x1_0000 + ((unit - 0xd800) << 10) + (u32::from(low) - 0xdc00), 2)
        }
        _ => (unit, 1),
    }
}

/// Appends the WTF-8 bytes of a string.
pub fn push_units(to: &mut Vec<u8>, text: &[u16]) {
    let mut at = 0;
    while at < text.len() {
        let (point, units) = point_at(text, at);
        push(to, point);
        at += units;
    }
}

/// The inverse of [`push_units`].
#[must_use]
pub fn units(bytes: &[u8]) -> Vec<u16> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let first = u32::from(bytes[at]);
        let (count, mut point) = match first {
            0..0x80 => (1, first),
            0x80..0xe0 => (2, first & 0x1f),
            0xe0..0xf0 => (3, first & 0xf),
            _ => (4, first & 7),
        };
        for &byte in bytes[at..].iter().take(count).skip(1) {
            point = point << 6 | u32::from(byte & 0x3f);
        }
        if point < 0x1_0000 {
            text.push(point as u16);
        } else {
            let rest = point - 0x1_0000;
            text.extend([0xd800 + (rest >> 10) as u16, 0xdc00 + (rest & 0x3ff) as u16]);
        }
        at += count;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_string_of_javascript_comes_back(text in prop::collection::vec(any::<u16>(), 0..40)) {
            let mut bytes = Vec::new();
            push_units(&mut bytes, &text);
            prop_assert_eq!(units(&bytes), text);
        }

        #[test]
        fn halves_of_a_pair_join(high in 0xd800u32..0xdc00, low in 0xdc00u32..0xe000, before in "[a\u{10ffff}\u{d7ff}]?") {
            let mut bytes = before.clone().into_bytes();
            push_joined(&mut bytes, high);
            push_joined(&mut bytes, low);
            let mut expected = before.into_bytes();
            push_units(&mut expected, &[high as u16, low as u16]);
            prop_assert_eq!(bytes, expected);
        }

        #[test]
        fn well_formed_text_is_utf_8(text in any::<String>()) {
            let mut bytes = Vec::new();
            push_units(&mut bytes, &text.encode_utf16().collect::<Vec<_>>());
            prop_assert_eq!(bytes, text.as_bytes());
        }
    }
}
