//! Counts the operators that libtorch runs, for tests and benchmarks: on a GPU each is at least one launch.

use crate::Result;
use crate::shim::{self, check};
use std::ptr;

/// A count that runs, in all threads. There must be one at a time.
pub struct OperatorCount(u64);

impl OperatorCount {
    /// Begins to count.
    pub fn begin() -> Result<Self> {
        let mut handle = 0;
        // SAFETY: `handle` is a local.
        check(unsafe { shim::recurra_count_operators_begin(&mut handle) })?;
        Ok(Self(handle))
    }

    /// Ends, and gives the names of the innermost operators that computed or copied something, with how often they did.
    pub fn end(self) -> Result<Vec<(String, u64)>> {
        let mut lines = ptr::null_mut();
        // SAFETY: the handle of a callback that is removed once; `lines` is a local.
        check(unsafe { shim::recurra_count_operators_end(self.0, &mut lines) })?;
        let text = shim::text(lines).unwrap_or_default();
        let pair =
            |line: &str| line.rsplit_once(' ').and_then(|(name, count)| Some((name.to_owned(), count.parse().ok()?)));
        Ok(text.lines().filter_map(pair).collect())
    }
}
