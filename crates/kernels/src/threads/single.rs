//! The team where there is one thread.

use super::Member;

/// A team of one: the caller of [`Pool::run`].
pub struct Pool;

impl Pool {
    /// A team of one member, whatever is asked for.
    pub fn new(_size: usize) -> Self {
        Self
    }

    /// Number of members.
    pub fn size(&self) -> usize {
        1
    }

    /// Does the work.
    pub fn run(&self, work: impl Fn(&Member<'_>) + Sync) {
        work(&Member::alone());
    }

    /// As [`Pool::run`].
    pub fn run_if_free(&self, work: impl Fn(&Member<'_>) + Sync) {
        self.run(work);
    }
}
