//! Measures a processor's peak rates: chains of multiply-adds in registers, more than are needed to hide their latency,
//! and independent divisions.

use std::hint::black_box;
use std::time::Instant;

use pulp::Simd;
use recurra_kernels::simd::Isa;
use serde_json::{Value, json};

use super::clock::hertz;
use super::simd::{Loop, lanes, run};
use super::team;

/// Number of independent chains. A multiply-add takes four or five cycles, and two (on Arm four) can start per cycle,
/// so ten (twenty) are needed. AVX2 has 16 registers, two of which contain the factors.
const CHAINS: usize = 12;
const WIDE_CHAINS: usize = 24;
/// Without fused instructions; with more chains, the compiler would spill registers.
const FEW_CHAINS: usize = 6;
/// Operations per chain and call.
const LENGTH: usize = 2048;

/// Chains of multiply-adds; returns their number.
struct Chains<const N: usize> {
    fused: bool,
}

impl<const N: usize> Loop for Chains<N> {
    type Output = usize;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> usize {
        let (a, b) = (s.splat_f32s(black_box(0.999)), s.splat_f32s(black_box(0.001)));
        let mut sums: [S::f32s; N] = std::array::from_fn(|i| s.splat_f32s(i as f32));
        for _ in 0..LENGTH {
            for sum in &mut sums {
                *sum = if self.fused { s.mul_add_f32s(*sum, a, b) } else { s.add_f32s(s.mul_f32s(*sum, a), b) };
            }
        }
        let all = sums.into_iter().fold(s.splat_f32s(0.0), |x, y| s.add_f32s(x, y));
        black_box(s.reduce_sum_f32s(all));
        N * LENGTH * S::F32_LANES
    }
}

fn chains(isa: Isa) -> usize {
    match isa {
        Isa::Avx512 | Isa::Neon => run(isa, Chains::<WIDE_CHAINS> { fused: true }),
        Isa::Avx2 => run(isa, Chains::<CHAINS> { fused: true }),
        Isa::Portable => run(isa, Chains::<FEW_CHAINS> { fused: false }),
    }
}

/// Chains of divisions.
struct Divisions;

impl Loop for Divisions {
    type Output = usize;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> usize {
        let by = s.splat_f32s(black_box(1.000_1));
        let mut values: [S::f32s; FEW_CHAINS] = std::array::from_fn(|i| s.splat_f32s(1.0 + i as f32));
        for _ in 0..LENGTH {
            for value in &mut values {
                *value = s.div_f32s(*value, by);
            }
        }
        let all = values.into_iter().fold(s.splat_f32s(0.0), |x, y| s.add_f32s(x, y));
        black_box(s.reduce_sum_f32s(all));
        FEW_CHAINS * LENGTH * S::F32_LANES
    }
}

/// The result of one thread: multiply-adds per second, and the clock rate at that time.
struct Reached {
    madds: f64,
    hertz: f64,
}

/// The best of many alternating measurements of the clock and the loop, because disturbances only make them slower.
/// Each takes less than a millisecond; wide instructions may lower the clock for longer than that.
fn reach(isa: Isa, seconds: f64) -> Reached {
    let begin = Instant::now();
    let mut best = Reached { madds: 0.0, hertz: 0.0 };
    while begin.elapsed().as_secs_f64() < seconds {
        best.hertz = best.hertz.max(hertz());
        let start = Instant::now();
        let madds: usize = (0..16).map(|_| chains(isa)).sum();
        best.madds = best.madds.max(madds as f64 / start.elapsed().as_secs_f64());
    }
    best
}

/// The peak of an instruction set on several threads at once. `flops` counts two per multiply-add. `share` is relative
/// to the processor's rate, which is a whole number of vector multiply-adds per cycle. Portable code has no such rate,
/// because it depends on the compiler.
pub fn measure(isa: Isa, threads: usize, seconds: f64) -> Value {
    let reached = team::on(threads, |_| reach(isa, seconds));
    let madds: f64 = reached.iter().map(|one| one.madds).sum();
    let hertz: f64 = reached.iter().map(|one| one.hertz).sum();
    let vectors = madds / hertz / lanes(isa);
    // Slightly above a whole number is an error of the clock, not another unit.
    let units = (vectors - 0.1).ceil().max(1.0);
    let share = (isa != Isa::Portable).then_some(vectors / units);
    let divisions = || team::best(seconds / 2.0, || run(isa, Divisions) as f64);
    json!({
        "isa": isa.name(), "threads": threads, "flops": 2.0 * madds, "gigahertz": hertz / threads as f64 * 1e-9,
        "flopsPerCycle": 2.0 * madds / hertz, "vectorsPerCycle": vectors, "share": share,
        "divisions": team::on(threads, |_| divisions()).iter().sum::<f64>(),
    })
}
