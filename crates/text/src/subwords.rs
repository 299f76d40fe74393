//! Subwords: the character n-grams of a word, by fastText's rules.

/// fastText's hash: 32-bit FNV-1a, with bytes from 128 sign-extended.
#[must_use]
pub fn hash(bytes: &[u8]) -> u32 {
    more(2_166_136_261, bytes)
}

/// Continues a hash with more bytes.
pub(crate) fn more(hash: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(hash, |hash, &byte| (hash ^ i32::from(byte as i8) as u32).wrapping_mul(16_777_619))
}

/// Calls `to` with the hash of each subword of `<word>` with `shortest` to `longest` characters. A border alone is not
/// a subword. `room` is a buffer for a word.
pub fn each_subword(word: &[u8], (shortest, longest): (u32, u32), room: &mut Vec<u8>, mut to: impl FnMut(u32)) {
    room.clear();
    room.push(b'<');
    room.extend_from_slice(word);
    room.push(b'>');
    let begins = |at: usize| room[at] & 0xc0 != 0x80;
    for start in (0..room.len()).filter(|&at| begins(at)) {
        let mut end = start;
        for length in 1..=longest {
            if end >= room.len() {
                break;
            }
            end += 1;
            while end < room.len() && !begins(end) {
                end += 1;
            }
            let border = length == 1 && (start == 0 || end == room.len());
            if length >= shortest && !border {
                to(hash(&room[start..end]));
            }
        }
    }
}
