//! How many multiply-adds a processor does: chains of them in registers, more than the latency of one needs to be hidden.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use pulp::{NullaryFnOnce, Simd};
use recurra_kernels::simd::Isa;
use serde_json::{Value, json};

use super::clock::hertz;

/// Independent chains. A multiply-add takes four or five cycles and two (on Arm four) can begin in each, so that ten (twenty) are
/// needed; AVX2 has 16 registers, of which two hold the factors.
const CHAINS: usize = 12;
const WIDE_CHAINS: usize = 24;
/// Without a fused instruction; with more the compiler keeps some in memory.
const FEW_CHAINS: usize = 6;
/// Multiply-adds of each chain in one call.
const LENGTH: usize = 2048;

struct Chains<S, const N: usize>(S, bool);

impl<S: Simd, const N: usize> NullaryFnOnce for Chains<S, N> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        let Self(s, fused) = self;
        let (a, b) = (s.splat_f32s(black_box(0.999)), s.splat_f32s(black_box(0.001)));
        let mut sums: [S::f32s; N] = std::array::from_fn(|i| s.splat_f32s(i as f32));
        for _ in 0..LENGTH {
            for sum in &mut sums {
                *sum = if fused { s.mul_add_f32s(*sum, a, b) } else { s.add_f32s(s.mul_f32s(*sum, a), b) };
            }
        }
        let all = sums.into_iter().fold(s.splat_f32s(0.0), |x, y| s.add_f32s(x, y));
        black_box(s.reduce_sum_f32s(all));
    }
}

fn chains<S: Simd, const N: usize>(s: S, fused: bool) -> usize {
    s.vectorize(Chains::<S, N>(s, fused));
    N * LENGTH * S::F32_LANES
}

/// One call of the loop; returns its multiply-adds.
fn run(isa: Isa) -> usize {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => chains::<_, WIDE_CHAINS>(pulp::x86::V4::try_new().expect("an available set"), true),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => chains::<_, CHAINS>(pulp::x86::V3::try_new().expect("an available set"), true),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => chains::<_, WIDE_CHAINS>(pulp::aarch64::Neon::try_new().expect("an available set"), true),
        _ => chains::<_, FEW_CHAINS>(pulp::Scalar128b, false),
    }
}

fn lanes(isa: Isa) -> f64 {
    match isa {
        Isa::Avx512 => 16.0,
        Isa::Avx2 => 8.0,
        Isa::Neon | Isa::Portable => 4.0,
    }
}

/// What one thread reached: multiply-adds per second, and the clock beside them.
struct Reached {
    madds: f64,
    hertz: f64,
}

/// The best of many turns of the clock and the loop: what disturbs either makes it slower, never faster. They take turns of less than
/// a millisecond, since wide instructions may lower the clock for longer than that.
fn reach(isa: Isa, seconds: f64) -> Reached {
    let begin = Instant::now();
    let mut best = Reached { madds: 0.0, hertz: 0.0 };
    while begin.elapsed().as_secs_f64() < seconds {
        best.hertz = best.hertz.max(hertz());
        let start = Instant::now();
        let madds: usize = (0..16).map(|_| run(isa)).sum();
        best.madds = best.madds.max(madds as f64 / start.elapsed().as_secs_f64());
    }
    best
}

/// As [`reach`], on `threads` threads at once.
fn reach_on(threads: usize, isa: Isa, seconds: f64) -> Vec<Reached> {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        let one = || {
            start.wait();
            reach(isa, seconds)
        };
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// The peak of an instruction set: `flops` are two for each multiply-add; `share` is that of the processor's rate, which is a whole
/// number of vectors of multiply-adds in each cycle. Portable code has no such rate: it is what the compiler makes of it.
pub fn measure(isa: Isa, threads: usize, seconds: f64) -> Value {
    let reached = reach_on(threads, isa, seconds);
    let madds: f64 = reached.iter().map(|one| one.madds).sum();
    let hertz: f64 = reached.iter().map(|one| one.hertz).sum();
    let vectors = madds / hertz / lanes(isa);
    // A little above a whole number is an error of the clock, not another unit.
    let units = (vectors - 0.1).ceil().max(1.0);
    let share = (isa != Isa::Portable).then_some(vectors / units);
    json!({
        "isa": isa.name(), "threads": threads, "flops": 2.0 * madds, "gigahertz": hertz / threads as f64 * 1e-9,
        "flopsPerCycle": 2.0 * madds / hertz, "vectorsPerCycle": vectors, "share": share,
    })
}
