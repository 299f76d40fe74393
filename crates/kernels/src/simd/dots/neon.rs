//! Products of codes on AArch64.

use std::arch::aarch64::{
    int8x16_t, int32x4_t, vcombine_u16, vcvtq_f32_s32, vdup_n_u16, vdupq_n_s32, vget_lane_u32, vget_low_s8, vld1q_s8,
    vld1q_s32, vmovn_u16, vmovn_u32, vmull_high_s8, vmull_s8, vpadalq_s16, vpaddq_s16, vreinterpret_u32_u8,
    vreinterpretq_s8_s32,
};
use std::arch::{asm, is_aarch64_feature_detected};

use super::products::{DotWork, Dots};
use pulp::Simd;
use pulp::aarch64::Neon as Lanes;

/// With the dot product extension or without it.
#[derive(Clone, Copy)]
pub(crate) struct Neon<const DOT: bool>(Lanes);

impl<const DOT: bool> Neon<DOT> {
    /// If the processor has the instructions.
    pub fn try_new() -> Option<Self> {
        Lanes::try_new().filter(|_| !DOT || is_aarch64_feature_detected!("dotprod")).map(Self)
    }
}

#[target_feature(enable = "neon,dotprod")]
fn with_dotprod<const DOT: bool, W: DotWork>(dots: Neon<DOT>, work: W) -> W::Output {
    work.run(dots)
}

#[target_feature(enable = "neon")]
fn with_neon<const DOT: bool, W: DotWork>(dots: Neon<DOT>, work: W) -> W::Output {
    work.run(dots)
}

impl<const DOT: bool> Dots for Neon<DOT> {
    type S = Lanes;
    type Sums = int32x4_t;
    type Codes = int8x16_t;
    const TAKES: usize = 4;
    const OFFSET: i32 = 0;

    #[inline(always)]
    fn lanes(self) -> Lanes {
        self.0
    }

    #[inline(always)]
    fn call<W: DotWork>(self, work: W) -> W::Output {
        // SAFETY: there is no value of this type without the instructions.
        unsafe { if DOT { with_dotprod(self, work) } else { with_neon(self, work) } }
    }

    #[inline(always)]
    unsafe fn sums(self, from: *const i32) -> int32x4_t {
        // SAFETY: by the caller's promise.
        unsafe { vld1q_s32(from) }
    }

    #[inline(always)]
    unsafe fn weights(self, from: *const u8) -> int8x16_t {
        // SAFETY: by the caller's promise.
        unsafe { vld1q_s8(from.cast()) }
    }

    #[inline(always)]
    unsafe fn values(self, from: *const u8) -> int8x16_t {
        // SAFETY: by the caller's promise.
        unsafe { vreinterpretq_s8_s32(vdupq_n_s32(from.cast::<i32>().read_unaligned())) }
    }

    #[inline(always)]
    fn dot(self, mut sums: int32x4_t, weights: int8x16_t, values: int8x16_t) -> int32x4_t {
        if DOT {
            // The function for it, `vdotq_s32`, is not stable in Rust.
            // SAFETY: there is no value of this type without the instruction, which reads and writes registers only.
            unsafe {
                asm!(
                    ".arch_extension dotprod",
                    "sdot {sums:v}.4s, {weights:v}.16b, {values:v}.16b",
                    sums = inout(vreg) sums,
                    weights = in(vreg) weights,
                    values = in(vreg) values,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
            return sums;
        }
        // SAFETY: every AArch64 processor of this crate has the instructions. Two products of codes fit 16 bits.
        unsafe {
            let low = vmull_s8(vget_low_s8(weights), vget_low_s8(values));
            let high = vmull_high_s8(weights, values);
            vpadalq_s16(sums, vpaddq_s16(low, high))
        }
    }

    #[inline(always)]
    fn singles(self, sums: int32x4_t) -> <Lanes as Simd>::f32s {
        // SAFETY: as above.
        pulp::cast(unsafe { vcvtq_f32_s32(sums) })
    }

    #[inline(always)]
    unsafe fn store(self, bits: <Lanes as Simd>::u32s, to: *mut u8) {
        // SAFETY: as above, and by the caller's promise.
        unsafe {
            let words = vmovn_u32(pulp::cast(bits));
            let bytes = vmovn_u16(vcombine_u16(words, vdup_n_u16(0)));
            to.cast::<u32>().write_unaligned(vget_lane_u32::<0>(vreinterpret_u32_u8(bytes)));
        }
    }
}
