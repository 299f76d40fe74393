//! A small team of threads that run the same function over their shares of the work.
//!
//! The team is made for steps of some hundred microseconds that need a few meetings each: the whole step is one
//! function that every member runs, with [`Member::meet`] where a member needs what the others did. A member that
//! waits spins for some microseconds and then sleeps, so that two processes on the same cores do not starve each other.
//! (A work-stealing pool such as rayon's hands out tasks that may wait for each other's threads; members that meet must
//! all be running at once.)

mod barrier;
#[cfg(not(target_family = "wasm"))]
mod pool;
/// WebAssembly has one thread: channels and locks of a team that never is would only make the module larger.
#[cfg(target_family = "wasm")]
#[path = "single.rs"]
mod pool;

use std::ops::Range;

use barrier::Barrier;
pub use pool::Pool;

/// What a member of a running team knows.
pub struct Member<'a> {
    rank: usize,
    size: usize,
    barrier: Option<&'a Barrier>,
}

impl Member<'_> {
    /// The only member of a team of one.
    pub fn alone() -> Self {
        Self { rank: 0, size: 1, barrier: None }
    }

    /// Number of this member, from 0.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Number of members.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Waits until all members are here. What they wrote before is then visible to all.
    pub fn meet(&self) {
        if let Some(barrier) = self.barrier {
            barrier.wait();
        }
    }

    /// This member's share of `0..n`, starting and ending at multiples of `unit` (but for the end of all).
    pub fn share(&self, n: usize, unit: usize) -> Range<usize> {
        let units = n.div_ceil(unit);
        let cut = |rank: usize| (units * rank / self.size * unit).min(n);
        cut(self.rank)..cut(self.rank + 1)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn members_see_what_the_others_did_before_a_meeting() {
        for size in 1..5 {
            let pool = Pool::new(size);
            let counts: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
            pool.run(|member| {
                for count in &counts {
                    count.fetch_add(1, Ordering::Relaxed);
                    member.meet();
                    assert_eq!(count.load(Ordering::Relaxed), member.size());
                }
            });
        }
    }

    #[test]
    fn shares_cover_everything_once() {
        for (size, n, unit) in [(1, 7, 8), (2, 100, 8), (3, 5, 16), (4, 64, 16)] {
            let mut next = 0;
            for rank in 0..size {
                let share = Member { rank, size, barrier: None }.share(n, unit);
                assert_eq!(share.start, next);
                next = share.end;
            }
            assert_eq!(next, n);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_goes_on() {
        let pool = Pool::new(3);
        let result = catch_unwind(AssertUnwindSafe(|| {
            pool.run(|member| {
                assert!(member.rank() != 1, "member one fails");
                member.meet();
            });
        }));
        assert!(result.is_err());
        let sum = AtomicUsize::new(0);
        pool.run(|member| {
            member.meet();
            sum.fetch_add(member.rank(), Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 3);
    }
}
