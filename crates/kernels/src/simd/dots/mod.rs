//! Products of whole numbers of eight bits, summed in 32 bits: recurrent weights and states of a prediction that asks for them.
//!
//! A *code* is such a number, from -127 to 127. Four bytes of codes are multiplied at once for each lane: four codes, or two that
//! are widened to 16 bits where the processor has no better instruction. The sums are exact, so they are equal with every instruction
//! set; tests compare them with a plain loop.

#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod products;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::OnceLock;

pub(crate) use products::{DotWork, Dots, LARGEST, code_bytes, write_code};

use super::{Isa, isa};

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
