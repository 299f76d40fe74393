//! Subwords: the runs of characters within a word, by fastText's rules.

/// fastText's hash of bytes: FNV-1a with 32 bits, where a byte from 128 on counts as a negative number.
#[must_use]
pub fn hash(bytes: &[u8]) -> u32 {
    more(2_166_136_261, bytes)
}

/// The hash of the bytes before, which is given, and of these.
pub(crate) fn more(hash: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(hash, |hash, &byte| (hash ^ i32::from(byte as i8) as u32).wrapping_mul(16_777_619))
}

/// Gives the hash of each subword of `shortest` to `longest` characters of `<word>`. A border alone is none. `room` is room for a
/// word.
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
