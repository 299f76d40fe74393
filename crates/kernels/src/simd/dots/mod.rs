//! Products of whole numbers of eight bits, summed in 32 bits: recurrent weights and states of a prediction that asks for them.
//!
//! A *code* is such a number, from -127 to 127. Four bytes of codes are multiplied at once for each lane: four codes, or two that
//! are widened to 16 bits where the processor has no better instruction. The sums are exact, so they are equal with every instruction
//! set; tests compare them with a plain loop.

#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
// As pulp's AVX-512.
#[cfg(target_arch = "x86_64")]
#[clippy::msrv = "1.89"]
mod x86;

use std::sync::OnceLock;

use super::{Isa, Lanes, isa};

/// The largest code.
pub(crate) const LARGEST: f32 = 127.0;

/// 1.5 * 2^23: adding it rounds to an integer, half to even, whose two's complement is then in the low bits.
const ROUND: f32 = 12_582_912.0;

/// What multiplies codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DotIsa {
    /// AVX-512 with VNNI: 64 products in one instruction.
    Vnni512,
    /// AVX2 with AVX-VNNI: 32 products in one instruction.
    Vnni256,
    /// AVX2: 16 products of 16 bits, and a sum.
    Avx2,
    /// AArch64 with the dot product extension: 16 products in one instruction.
    NeonDot,
    /// AArch64 without it: 16 products in four instructions.
    Neon,
    /// Plain Rust.
    Portable,
}

impl DotIsa {
    /// Whether this processor can run it.
    pub fn available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vnni512 => x86::Vnni512::try_new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Vnni256 => x86::Vnni256::try_new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::Avx2::try_new().is_some(),
            #[cfg(target_arch = "aarch64")]
            Self::NeonDot => neon::Neon::<true>::try_new().is_some(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => neon::Neon::<false>::try_new().is_some(),
            Self::Portable => true,
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }

    /// Those that go with an instruction set, best first.
    const fn of(isa: Isa) -> &'static [Self] {
        match isa {
            // Without VNNI, 512 bits bring nothing over 256.
            Isa::Avx512 => &[Self::Vnni512, Self::Avx2],
            Isa::Avx2 => &[Self::Vnni256, Self::Avx2],
            Isa::Neon => &[Self::NeonDot, Self::Neon],
            Isa::Portable => &[Self::Portable],
        }
    }
}

/// Bytes of a code with given instructions.
pub(crate) const fn code_bytes_of(isa: DotIsa) -> usize {
    match isa {
        DotIsa::Vnni512 | DotIsa::Vnni256 | DotIsa::NeonDot | DotIsa::Neon => 1,
        DotIsa::Avx2 | DotIsa::Portable => 2,
    }
}

/// What multiplies codes in this process.
pub(crate) fn dot_isa() -> DotIsa {
    static CHOSEN: OnceLock<DotIsa> = OnceLock::new();
    *CHOSEN.get_or_init(|| DotIsa::of(isa()).iter().copied().find(|dots| dots.available()).unwrap_or(DotIsa::Portable))
}

/// Multiplies codes, for the lanes of the vector unit `S`.
pub(crate) trait Dots: Copy {
    type S: Lanes;
    /// A sum of 32 bits for each lane.
    type Sums: Copy;
    /// Four bytes of codes for each lane.
    type Codes: Copy;
    /// Codes in four bytes: four, or two of 16 bits.
    const TAKES: usize;
    /// What is added to the codes of values, which makes them unsigned; the sums must begin with as many times the weights less.
    const OFFSET: i32;

    fn lanes(self) -> Self::S;

    /// Runs work as a separate function that has the instructions.
    fn call<W: DotWork>(self, work: W) -> W::Output;

    /// Sums to begin with.
    ///
    /// # Safety
    /// A value for each lane must be readable.
    unsafe fn sums(self, from: *const i32) -> Self::Sums;

    /// Weights: four bytes for each lane.
    ///
    /// # Safety
    /// They must be readable.
    unsafe fn weights(self, from: *const u8) -> Self::Codes;

    /// Values: the same four bytes for each lane.
    ///
    /// # Safety
    /// They must be readable.
    unsafe fn values(self, from: *const u8) -> Self::Codes;

    /// `sums` and the products of weights and values.
    fn dot(self, sums: Self::Sums, weights: Self::Codes, values: Self::Codes) -> Self::Sums;

    /// Sums as singles.
    fn singles(self, sums: Self::Sums) -> <Self::S as pulp::Simd>::f32s;

    /// Stores the low bits of each lane, as many as a code takes, after [`Dots::OFFSET`] was added to them.
    ///
    /// # Safety
    /// The code of each lane must be writable.
    unsafe fn store(self, bits: <Self::S as pulp::Simd>::u32s, to: *mut u8);

    /// Stores the codes of values from -1 to 1: the nearest multiples of one 127th, half to even.
    ///
    /// # Safety
    /// As [`Dots::store`].
    #[inline(always)]
    unsafe fn encode(self, values: <Self::S as pulp::Simd>::f32s, to: *mut u8) {
        use pulp::Simd;
        let s = self.lanes();
        let rounded = s.add_f32s(s.mul_f32s(values, s.splat_f32s(LARGEST)), s.splat_f32s(ROUND));
        // SAFETY: by the caller's promise.
        unsafe { self.store(s.transmute_u32s_f32s(rounded), to) }
    }
}

/// Bytes of a code.
pub(crate) const fn code_bytes<D: Dots>() -> usize {
    4 / D::TAKES
}

/// Writes the code of a weight.
///
/// # Safety
/// The bytes of a code must be writable.
#[inline(always)]
pub(crate) unsafe fn write_code<D: Dots>(code: i32, to: *mut u8) {
    let bytes = code.to_le_bytes();
    for (at, byte) in bytes[..code_bytes::<D>()].iter().enumerate() {
        // SAFETY: by the caller's promise.
        unsafe { to.add(at).write(*byte) };
    }
}

/// Work that is compiled once for each way to multiply codes.
pub(crate) trait DotWork {
    type Output;
    /// Must be `#[inline(always)]` in every implementation, or it loses the instructions.
    fn run<D: Dots>(self, dots: D) -> Self::Output;
}

/// Runs work with what multiplies codes in this process.
pub(crate) fn dispatch_dots<W: DotWork>(work: W) -> W::Output {
    dispatch_dots_on(dot_isa(), work)
}

/// Runs work with given instructions, the portable ones where those are not available.
pub(crate) fn dispatch_dots_on<W: DotWork>(isa: DotIsa, work: W) -> W::Output {
    match isa {
        #[cfg(target_arch = "x86_64")]
        DotIsa::Vnni512 => {
            if let Some(dots) = x86::Vnni512::try_new() {
                return dots.call(work);
            }
        }
        #[cfg(target_arch = "x86_64")]
        DotIsa::Vnni256 => {
            if let Some(dots) = x86::Vnni256::try_new() {
                return dots.call(work);
            }
        }
        #[cfg(target_arch = "x86_64")]
        DotIsa::Avx2 => {
            if let Some(dots) = x86::Avx2::try_new() {
                return dots.call(work);
            }
        }
        #[cfg(target_arch = "aarch64")]
        DotIsa::NeonDot => {
            if let Some(dots) = neon::Neon::<true>::try_new() {
                return dots.call(work);
            }
        }
        #[cfg(target_arch = "aarch64")]
        DotIsa::Neon => {
            if let Some(dots) = neon::Neon::<false>::try_new() {
                return dots.call(work);
            }
        }
        _ => {}
    }
    portable::Portable.call(work)
}

#[cfg(test)]
mod tests;
