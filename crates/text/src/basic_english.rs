//! torchtext's `basic_english` tokenizer, as `src/text/basicEnglish.ts` has it: lower case, `' . , ( ) ! ?` as tokens of
//! their own, `"` dropped, `;`, `:` and `<br />` taken as blanks, split at Python's white space.

/// What becomes of a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Word,
    Space,
    Alone,
    Drop,
    LessThan,
    /// The first byte of a character outside of ASCII.
    Wide,
}

const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Word; 256];
    let spaces = b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f ;:";
    let mut i = 0;
    while i < spaces.len() {
        kinds[spaces[i] as usize] = Kind::Space;
        i += 1;
    }
    let alone = b"'.,()!?";
    i = 0;
    while i < alone.len() {
        kinds[alone[i] as usize] = Kind::Alone;
        i += 1;
    }
    kinds[b'"' as usize] = Kind::Drop;
    kinds[b'<' as usize] = Kind::LessThan;
    i = 0x80;
    while i < 256 {
        kinds[i] = Kind::Wide;
        i += 1;
    }
    kinds
};

/// Whether a character's lower case is the same for JavaScript and here, whatever versions of Unicode the two know and
/// whatever stands beside it: scripts that are long complete, or have no case. Greek is left out for its final sigma.
/// U+FFFD is what a text that is not well-formed has become.
fn is_settled(character: char) -> bool {
    matches!(u32::from(character),
        0x80..=0x36F        // Latin, its modifiers and accents
        | 0x400..=0x52F     // Cyrillic
        | 0x5D0..=0x5EA     // Hebrew
        | 0x600..=0x6FF     // Arabic
        | 0x900..=0x97F     // Devanagari
        | 0x1E00..=0x1EFF   // Latin with several accents
        | 0x2000..=0x20CF   // punctuation, currencies
        | 0x2190..=0x23FF   // arrows, mathematics
        | 0x2500..=0x27BF   // drawing, symbols
        | 0x3000..=0x30FF   // punctuation and kana
        | 0x4E00..=0x9FFF   // ideographs
        | 0xAC00..=0xD7A3   // Hangul
        | 0xFE00..=0xFE0F   // variants of symbols
        | 0x1F300..=0x1FAFF // pictures
    )
}

/// What Python takes for white space outside of ASCII.
fn is_wide_space(character: char) -> bool {
    matches!(u32::from(character), 0x85 | 0xA0 | 0x1680 | 0x2000..=0x200A | 0x2028 | 0x2029 | 0x202F | 0x205F | 0x3000)
}

/// The index after `<br />` at `at`, in any case, skipping the quotes that are dropped before it is looked for.
fn end_of_line_break(text: &[u8], at: usize) -> Option<usize> {
    let mut i = at;
    for expected in b"<br />" {
        while text.get(i) == Some(&b'"') {
            i += 1;
        }
        if text.get(i)?.to_ascii_lowercase() != *expected {
            return None;
        }
        i += 1;
    }
    Some(i)
}

/// Splits a text and passes each token, until one is answered by false. The buffer is for the call's own use.
///
/// Returns false where the text has characters of which it is not sure that JavaScript has the same lower case; tokens may
/// have been passed by then.
pub fn split(text: &str, buffer: &mut Vec<u8>, mut pass: impl FnMut(&[u8]) -> bool) -> bool {
    let bytes = text.as_bytes();
    buffer.clear();
    let mut i = 0;
    while i < bytes.len() {
        let byte = bytes[i];
        match KINDS[usize::from(byte)] {
            Kind::Word => {
                let is_word = |byte: &u8| KINDS[usize::from(*byte)] == Kind::Word;
                let run = bytes[i..].iter().position(|byte| !is_word(byte)).unwrap_or(bytes.len() - i);
                buffer.extend(bytes[i..i + run].iter().map(u8::to_ascii_lowercase));
                i += run;
                continue;
            }
            Kind::Wide => {
                // The loop leaves whole characters behind, so that this is where one begins.
                let Some(character) = text[i..].chars().next() else { break };
                if !is_settled(character) {
                    return false;
                }
                i += character.len_utf8();
                if !is_wide_space(character) {
                    for lower in character.to_lowercase() {
                        buffer.extend_from_slice(lower.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    continue;
                }
            }
            Kind::LessThan => match end_of_line_break(bytes, i) {
                Some(end) => i = end,
                None => {
                    buffer.push(byte);
                    i += 1;
                    continue;
                }
            },
            Kind::Drop => {
                i += 1;
                continue;
            }
            Kind::Space => i += 1,
            Kind::Alone => {
                i += 1;
                if !buffer.is_empty() && !pass(buffer) {
                    return true;
                }
                buffer.clear();
                if !pass(&[byte]) {
                    return true;
                }
                continue;
            }
        }
        if !buffer.is_empty() && !pass(buffer) {
            return true;
        }
        buffer.clear();
    }
    if !buffer.is_empty() {
        pass(buffer);
    }
    true
}
