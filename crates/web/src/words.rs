//! Lists of words as JavaScript gives them.

use recurra_core::Result;

use crate::settings::invalid;

/// Gives the words of a list: the units of all, and where each ends.
///
/// # Errors
/// `InvalidFile` for ends that fall or lie beyond the units, and those of `to`.
pub fn each_word(units: &[u16], ends: &[u32], mut to: impl FnMut(&[u16]) -> Result<()>) -> Result<()> {
    let mut start = 0;
    for &end in ends {
        let word = units.get(start..end as usize).ok_or_else(|| invalid("a token ends before it begins"))?;
        start = end as usize;
        to(word)?;
    }
    Ok(())
}
