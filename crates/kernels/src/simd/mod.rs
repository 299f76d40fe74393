//! Vector instructions chosen at run time, and what is built directly on them.
//!
//! One kernel source is compiled for AVX-512, AVX2 with FMA, NEON and a portable fallback through `pulp`; a call goes
//! to the best set that the processor has. `RECURRA_ISA` (`avx512`, `avx2`, `neon`, `portable`) forces another one.
//! (`wide` would fix the instructions when the crate is compiled; one prebuilt binary must serve every processor.)

mod buf;
pub(crate) mod dots;
pub(crate) mod gemm;
pub(crate) mod math;
pub(crate) mod outer;

use std::sync::OnceLock;

use pulp::{NullaryFnOnce, Simd};

pub use buf::Buf;
pub(crate) use buf::{pad, zeros};

/// An instruction set that the kernels were compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// x86-64-v4: 16 lanes, 32 registers.
    Avx512,
    /// x86-64-v3: 8 lanes, 16 registers, fused multiply-add.
    Avx2,
    /// AArch64: 4 lanes, 32 registers.
    Neon,
    /// Plain Rust, 4 lanes as the compiler sees fit.
    Portable,
}

impl Isa {
    /// The name that `RECURRA_ISA` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    /// Whether this processor can run it.
    pub fn available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => pulp::x86::V4::try_new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => pulp::x86::V3::try_new().is_some(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => pulp::aarch64::Neon::try_new().is_some(),
            Self::Portable => true,
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }

    /// Every instruction set that this processor can run, best first.
    pub fn all_available() -> Vec<Self> {
        [Self::Avx512, Self::Avx2, Self::Neon, Self::Portable].into_iter().filter(|isa| isa.available()).collect()
    }
}

/// The instruction set in use.
pub fn isa() -> Isa {
    static CHOSEN: OnceLock<Isa> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let usable = Isa::all_available();
        let wanted = std::env::var("RECURRA_ISA").ok();
        usable.iter().copied().find(|isa| Some(isa.name()) == wanted.as_deref()).unwrap_or(usable[0])
    })
}

/// A vector unit together with the register blocking that suits it.
pub(crate) trait Lanes: Simd {
    /// Whether multiply-add is one instruction (else it would be a slow library call).
    const FMA: bool;
    /// Vectors side by side in a tile of the packed product.
    const NV: usize;
    /// Rows of a tile of the packed product.
    const MR: usize;
    /// Lanes of a vector.
    const L: usize = Self::F32_LANES;

    /// `a / b` to within two units in the last place, where `b` and its reciprocal are finite. A division proper takes as
    /// long as twelve multiplications on a processor with AVX-512.
    #[inline(always)]
    fn quotient(self, a: Self::f32s, b: Self::f32s) -> Self::f32s {
        self.div_f32s(a, b)
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for pulp::x86::V4 {
    const FMA: bool = true;
    const NV: usize = 4;
    const MR: usize = 6;

    #[inline(always)]
    fn quotient(self, a: Self::f32s, b: Self::f32s) -> Self::f32s {
        // 14 bits, and one step of Newton's method, which doubles them.
        let rough: Self::f32s = pulp::cast(self.avx512f._mm512_rcp14_ps(pulp::cast(b)));
        let error = self.negate_mul_add_f32s(b, rough, self.splat_f32s(1.0));
        self.mul_f32s(a, self.mul_add_f32s(error, rough, rough))
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for pulp::x86::V3 {
    const FMA: bool = true;
    const NV: usize = 2;
    const MR: usize = 6;
}

#[cfg(target_arch = "aarch64")]
impl Lanes for pulp::aarch64::Neon {
    const FMA: bool = true;
    const NV: usize = 4;
    const MR: usize = 6;
}

impl Lanes for pulp::Scalar128b {
    const FMA: bool = false;
    const NV: usize = 2;
    const MR: usize = 4;
}

/// Work that is compiled once per instruction set.
pub(crate) trait Kernel {
    type Output;
    /// Must be `#[inline(always)]` in every implementation, or it loses the instruction set.
    fn run<S: Lanes>(self, simd: S) -> Self::Output;
}

struct Bound<K, S>(K, S);

impl<K: Kernel, S: Lanes> NullaryFnOnce for Bound<K, S> {
    type Output = K::Output;
    #[inline(always)]
    fn call(self) -> K::Output {
        self.0.run(self.1)
    }
}

/// Calls a kernel as a separate function from within another one of the same instruction set.
#[inline(always)]
pub(crate) fn call<S: Lanes, K: Kernel>(simd: S, kernel: K) -> K::Output {
    simd.vectorize(Bound(kernel, simd))
}

/// Runs a kernel with the instruction set in use.
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    dispatch_on(isa(), kernel)
}

/// Runs a kernel with a given instruction set, the portable one where that is not available.
pub(crate) fn dispatch_on<K: Kernel>(isa: Isa, kernel: K) -> K::Output {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => {
            if let Some(simd) = pulp::x86::V4::try_new() {
                return call(simd, kernel);
            }
        }
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => {
            if let Some(simd) = pulp::x86::V3::try_new() {
                return call(simd, kernel);
            }
        }
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => {
            if let Some(simd) = pulp::aarch64::Neon::try_new() {
                return call(simd, kernel);
            }
        }
        _ => {}
    }
    call(pulp::Scalar128b, kernel)
}

/// Loads a vector from any address.
///
/// # Safety
/// `S::L` values must be readable at `from`.
#[inline(always)]
pub(crate) unsafe fn load<S: Lanes>(_: S, from: *const f32) -> S::f32s {
    // SAFETY: by the caller's promise; f32s is plain data.
    unsafe { from.cast::<S::f32s>().read_unaligned() }
}

/// Stores a vector at any address.
///
/// # Safety
/// `S::L` values must be writable at `to`.
#[inline(always)]
pub(crate) unsafe fn store<S: Lanes>(_: S, to: *mut f32, value: S::f32s) {
    // SAFETY: by the caller's promise.
    unsafe { to.cast::<S::f32s>().write_unaligned(value) }
}

/// Whether [`prefetch`] does anything.
pub(crate) const PREFETCHES: bool = cfg!(target_arch = "x86_64");

/// Asks for the cache line of an address, which need not be one of this process.
#[inline(always)]
pub(crate) fn prefetch(at: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has the instruction, and it faults for no address.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// [`prefetch`] for all cache lines of `values` values.
#[inline(always)]
pub(crate) fn prefetch_all(at: *const f32, values: usize) {
    (0..values).step_by(16).for_each(|value| prefetch(at.wrapping_add(value)));
}

/// `a * b + c`, fused where the processor can.
#[inline(always)]
pub(crate) fn fma<S: Lanes>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    if S::FMA { simd.mul_add_f32s(a, b, c) } else { simd.add_f32s(simd.mul_f32s(a, b), c) }
}
