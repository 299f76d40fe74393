//! Products of codes on x86-64.

use std::arch::x86_64::{
    __m256i, __m512i, _mm_set1_epi8, _mm_storeu_si64, _mm_storeu_si128, _mm_xor_si128, _mm256_add_epi32,
    _mm256_castsi256_si128, _mm256_cvtepi32_ps, _mm256_dpbusd_avx_epi32, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_permute4x64_epi64, _mm256_permutevar8x32_epi32, _mm256_set1_epi32, _mm256_setr_epi8, _mm256_setr_epi32,
    _mm256_shuffle_epi8, _mm512_cvtepi32_epi8, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_loadu_si512,
    _mm512_set1_epi32,
};

use super::products::{DotWork, Dots};
use pulp::Simd;
use pulp::x86::{V3, V4};

/// 128, which makes the codes of values unsigned: VNNI multiplies unsigned values by signed weights.
const UNSIGNED: i32 = 128;

/// AVX-512 with VNNI.
#[derive(Clone, Copy)]
pub(crate) struct Vnni512(V4);

impl Vnni512 {
    /// If the processor has the instructions.
    pub fn try_new() -> Option<Self> {
        V4::try_new().filter(|_| is_x86_feature_detected!("avx512vnni")).map(Self)
    }
}

// The features of `V4`, so that its operations are inlined, and VNNI.
#[target_feature(
    enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vnni,avx2,fma,bmi1,bmi2,lzcnt,popcnt,fxsr"
)]
fn with_vnni512<W: DotWork>(dots: Vnni512, work: W) -> W::Output {
    work.run(dots)
}

impl Dots for Vnni512 {
    type S = V4;
    type Sums = __m512i;
    type Codes = __m512i;
    const TAKES: usize = 4;
    const OFFSET: i32 = UNSIGNED;

    #[inline(always)]
    fn lanes(self) -> V4 {
        self.0
    }

    #[inline(always)]
    fn call<W: DotWork>(self, work: W) -> W::Output {
        // SAFETY: there is no value of this type without the instructions.
        unsafe { with_vnni512(self, work) }
    }

    #[inline(always)]
    unsafe fn sums(self, from: *const i32) -> __m512i {
        // SAFETY: by the caller's promise.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn weights(self, from: *const u8) -> __m512i {
        // SAFETY: by the caller's promise.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn values(self, from: *const u8) -> __m512i {
        // SAFETY: by the caller's promise.
        unsafe { _mm512_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    fn dot(self, sums: __m512i, weights: __m512i, values: __m512i) -> __m512i {
        // SAFETY: there is no value of this type without the instructions.
        unsafe { _mm512_dpbusd_epi32(sums, values, weights) }
    }

    #[inline(always)]
    fn singles(self, sums: __m512i) -> <V4 as Simd>::f32s {
        // SAFETY: as above.
        pulp::cast(unsafe { _mm512_cvtepi32_ps(sums) })
    }

    #[inline(always)]
    unsafe fn store(self, bits: <V4 as Simd>::u32s, to: *mut u8) {
        // SAFETY: as above, and by the caller's promise. The sign bit of a byte is worth 128 either way.
        unsafe {
            let bytes = _mm512_cvtepi32_epi8(pulp::cast(bits));
            _mm_storeu_si128(to.cast(), _mm_xor_si128(bytes, _mm_set1_epi8(i8::MIN)));
        }
    }
}

/// What [`Dots`] of 256 bits have in common.
macro_rules! of_256_bits {
    () => {
        type S = V3;
        type Sums = __m256i;
        type Codes = __m256i;

        #[inline(always)]
        fn lanes(self) -> V3 {
            self.0
        }

        #[inline(always)]
        unsafe fn sums(self, from: *const i32) -> __m256i {
            // SAFETY: by the caller's promise.
            unsafe { _mm256_loadu_si256(from.cast()) }
        }

        #[inline(always)]
        unsafe fn weights(self, from: *const u8) -> __m256i {
            // SAFETY: by the caller's promise.
            unsafe { _mm256_loadu_si256(from.cast()) }
        }

        #[inline(always)]
        unsafe fn values(self, from: *const u8) -> __m256i {
            // SAFETY: by the caller's promise.
            unsafe { _mm256_set1_epi32(from.cast::<i32>().read_unaligned()) }
        }

        #[inline(always)]
        fn singles(self, sums: __m256i) -> <V3 as Simd>::f32s {
            // SAFETY: there is no value of this type without the instructions.
            pulp::cast(unsafe { _mm256_cvtepi32_ps(sums) })
        }
    };
}

/// AVX2 with AVX-VNNI.
#[derive(Clone, Copy)]
pub(crate) struct Vnni256(V3);

impl Vnni256 {
    /// If the processor has the instructions.
    pub fn try_new() -> Option<Self> {
        V3::try_new().filter(|_| is_x86_feature_detected!("avxvnni")).map(Self)
    }
}

// As above, with those of `V3`.
#[target_feature(enable = "avxvnni,avx2,fma,bmi1,bmi2,lzcnt,popcnt,fxsr")]
fn with_vnni256<W: DotWork>(dots: Vnni256, work: W) -> W::Output {
    work.run(dots)
}

impl Dots for Vnni256 {
    of_256_bits!();

    const TAKES: usize = 4;
    const OFFSET: i32 = UNSIGNED;

    #[inline(always)]
    fn call<W: DotWork>(self, work: W) -> W::Output {
        // SAFETY: there is no value of this type without the instructions.
        unsafe { with_vnni256(self, work) }
    }

    #[inline(always)]
    fn dot(self, sums: __m256i, weights: __m256i, values: __m256i) -> __m256i {
        // SAFETY: there is no value of this type without the instructions.
        unsafe { _mm256_dpbusd_avx_epi32(sums, values, weights) }
    }

    #[inline(always)]
    unsafe fn store(self, bits: <V3 as Simd>::u32s, to: *mut u8) {
        // SAFETY: as above, and by the caller's promise.
        unsafe {
            // The lowest byte of each lane: four of each half, then side by side.
            let lowest = _mm256_setr_epi8(
                0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1,
                -1, -1, -1, -1, -1,
            );
            let halves = _mm256_shuffle_epi8(pulp::cast(bits), lowest);
            let bytes = _mm256_permutevar8x32_epi32(halves, _mm256_setr_epi32(0, 4, 1, 1, 1, 1, 1, 1));
            let unsigned = _mm_xor_si128(_mm256_castsi256_si128(bytes), _mm_set1_epi8(i8::MIN));
            _mm_storeu_si64(to, unsigned);
        }
    }
}

/// AVX2, whose product of bytes sums two of them in 16 bits, where two large ones do not fit. So codes are widened to 16 bits.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(V3);

impl Avx2 {
    /// If the processor has the instructions.
    pub fn try_new() -> Option<Self> {
        V3::try_new().map(Self)
    }
}

#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt,fxsr")]
fn with_avx2<W: DotWork>(dots: Avx2, work: W) -> W::Output {
    work.run(dots)
}

impl Dots for Avx2 {
    of_256_bits!();

    const TAKES: usize = 2;
    const OFFSET: i32 = 0;

    #[inline(always)]
    fn call<W: DotWork>(self, work: W) -> W::Output {
        // SAFETY: there is no value of this type without the instructions.
        unsafe { with_avx2(self, work) }
    }

    #[inline(always)]
    fn dot(self, sums: __m256i, weights: __m256i, values: __m256i) -> __m256i {
        // SAFETY: there is no value of this type without the instructions.
        unsafe { _mm256_add_epi32(sums, _mm256_madd_epi16(weights, values)) }
    }

    #[inline(always)]
    unsafe fn store(self, bits: <V3 as Simd>::u32s, to: *mut u8) {
        // SAFETY: as above, and by the caller's promise.
        unsafe {
            // The lower half of each lane: four of each half, then side by side.
            let lower = _mm256_setr_epi8(
                0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1,
                -1, -1, -1,
            );
            let halves = _mm256_shuffle_epi8(pulp::cast(bits), lower);
            let words = _mm256_permute4x64_epi64::<0b00_00_10_00>(halves);
            _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(words));
        }
    }
}
