//! A meeting point that spins briefly, then sleeps, and can be broken when a member fails.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use recurra_core::{Error, ErrorCode, abandon};

/// Turns of the spin before a waiting member gives its core away: some 20 microseconds, about what a wake-up costs.
const SPINS: usize = 600;

pub(super) struct Barrier {
    size: usize,
    arrived: AtomicUsize,
    round: AtomicUsize,
    broken: AtomicBool,
    sleepers: Mutex<()>,
    wake: Condvar,
}

impl Barrier {
    pub fn new(size: usize) -> Self {
        Self {
            size,
            arrived: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            sleepers: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    fn next_round(&self) {
        self.round.fetch_add(1, Ordering::Release);
        // The lock makes sure that a member between its last look and its sleep does not miss the call.
        drop(self.sleepers.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_all();
    }

    /// Abandons the member's work when the meeting was broken up.
    pub fn wait(&self) {
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.size {
            self.arrived.store(0, Ordering::Relaxed);
            self.next_round();
        } else {
            let over = || self.round.load(Ordering::Acquire) != round;
            if !(0..SPINS).any(|_| {
                std::hint::spin_loop();
                over() || self.broken.load(Ordering::Relaxed)
            }) {
                let mut guard = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
                while !over() && !self.broken.load(Ordering::Acquire) {
                    guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        if self.broken.load(Ordering::Acquire) {
            // That other thread has said what happened.
            abandon(Error::new(ErrorCode::Internal, "another thread of the team failed"));
        }
    }

    /// Releases all members that wait or will wait; they abandon their work.
    pub fn break_up(&self) {
        self.broken.store(true, Ordering::Release);
        self.next_round();
    }

    /// Makes the meeting usable again; no member may be in it.
    pub fn mend(&self) {
        self.broken.store(false, Ordering::Release);
        self.arrived.store(0, Ordering::Release);
    }
}
