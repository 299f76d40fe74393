//! Loops compiled for each instruction set.

use pulp::{NullaryFnOnce, Simd};
use recurra_kernels::simd::Isa;

/// A loop. `run` must be `#[inline(always)]`, otherwise it loses the instruction set.
pub trait Loop {
    type Output;
    fn run<S: Simd>(self, s: S) -> Self::Output;
}

struct Bound<L, S>(L, S);

impl<L: Loop, S: Simd> NullaryFnOnce for Bound<L, S> {
    type Output = L::Output;
    #[inline(always)]
    fn call(self) -> L::Output {
        self.0.run(self.1)
    }
}

/// Runs a loop with an instruction set that this processor supports.
pub fn run<L: Loop>(isa: Isa, work: L) -> L::Output {
    fn with<L: Loop, S: Simd>(s: S, work: L) -> L::Output {
        s.vectorize(Bound(work, s))
    }
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => with(pulp::x86::V4::try_new().expect("an available set"), work),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => with(pulp::x86::V3::try_new().expect("an available set"), work),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => with(pulp::aarch64::Neon::try_new().expect("an available set"), work),
        _ => with(pulp::Scalar128b, work),
    }
}

/// Number of values in a vector.
pub fn lanes(isa: Isa) -> f64 {
    match isa {
        Isa::Avx512 => 16.0,
        Isa::Avx2 => 8.0,
        Isa::Neon | Isa::Portable => 4.0,
    }
}
