//! Measures a core's clock with a chain of dependent additions, which take one cycle each on every processor that the
//! kernels support. (Cycle counters need permissions that containers rarely have, and the time-stamp counter runs at
//! its own rate.)

use std::hint::black_box;
use std::time::Instant;

/// Number of additions without a branch in between.
const CHAIN: u64 = 64;

/// `rounds` times [`CHAIN`] dependent additions, in assembly so that the compiler cannot fold them.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn chain(rounds: u64) -> u64 {
    let (mut sum, step) = (black_box(1u64), black_box(3u64));
    for _ in 0..rounds {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: adds one register to another.
        unsafe {
            std::arch::asm!(".rept 64", "add {0}, {1}", ".endr", inout(reg) sum, in(reg) step, options(nomem, nostack));
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: adds one register to another.
        unsafe {
            std::arch::asm!(".rept 64", "add {0}, {0}, {1}", ".endr", inout(reg) sum, in(reg) step, options(nomem, nostack));
        }
    }
    black_box(sum)
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn chain(rounds: u64) -> u64 {
    (0..rounds * CHAIN).fold(black_box(1u64), |sum, _| black_box(sum + 3))
}

/// Current clock rate of the core that this thread runs on, in cycles per second; takes about 0.1 ms.
pub fn hertz() -> f64 {
    const ROUNDS: u64 = 6000;
    let start = Instant::now();
    chain(ROUNDS);
    (ROUNDS * CHAIN) as f64 / start.elapsed().as_secs_f64()
}
