//! Lists of words as JavaScript passes them.

use recurra_core::Result;

use crate::settings::invalid;

/// Calls `to` with each word of a list: the concatenated units and the end of each word.
///
/// # Errors
/// `InvalidFile` for ends that fall or exceed the units; errors of `to`.
pub fn each_word(units: &[u16], ends: &[u32], mut to: impl FnMut(&[u16]) -> Result<()>) -> Result<()> {
    let mut start = 0;
    for &end in ends {
        let word = units.get(start..end as usize).ok_or_else(|| invalid("a token ends before it begins"))?;
        start = end as usize;
        to(word)?;
    }
    Ok(())
}
