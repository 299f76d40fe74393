//! Lowercases what is the same in every version of Unicode; JavaScript lowercases the rest.

/// Whether JavaScript must lowercase a text before it is split, because the text contains characters whose lower case
/// is not known here.
///
/// Known are Latin-1 and caseless blocks: general punctuation and currencies (U+2000 to U+20CF), CJK (U+3000 to U+9FFF)
/// and Hangul syllables. The lower case of a known character does not depend on its neighbours.
#[must_use]
pub fn needs_javascript(text: &[u16]) -> bool {
    // Most texts are Latin-1. The inner loop has no early exit, so that the compiler vectorises it.
    text.chunks(64).any(|part| {
        part.iter().fold(0, |all, &unit| all | unit) >= 0x100
            && part.iter().any(|&unit| !matches!(unit, 0..0x100 | 0x2000..0x20d0 | 0x3000..0xa000 | 0xac00..0xd7a4))
    })
}

/// Lower case of a Latin-1 unit.
pub(crate) const fn latin1(unit: u8) -> u8 {
    match unit {
        b'A'..=b'Z' | 0xc0..=0xd6 | 0xd8..=0xde => unit + 0x20,
        _ => unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_1_is_unicodes() {
        for unit in 0..=255u8 {
            assert_eq!(char::from(unit).to_lowercase().collect::<String>(), char::from(latin1(unit)).to_string());
        }
    }

    #[test]
    fn what_is_left_alone_has_no_lower_case() {
        for unit in 0x100..=u16::MAX {
            if !needs_javascript(&[unit]) {
                let character = char::from_u32(u32::from(unit)).unwrap();
                assert_eq!(character.to_lowercase().collect::<String>(), character.to_string());
            }
        }
    }

    #[test]
    fn characters_anywhere_are_seen() {
        let mut text = vec![0x20u16; 200];
        assert!(!needs_javascript(&text));
        text[130] = 0x2019;
        assert!(!needs_javascript(&text));
        for unknown in [0x3a3, 0x130, 0xd83d, 0xdc00, 0x212a] {
            text[199] = unknown;
            assert!(needs_javascript(&text));
        }
    }
}
