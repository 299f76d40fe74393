//! Products of codes in plain Rust.

use super::products::{DotWork, Dots};
use pulp::{Scalar128b, Simd};

/// Two codes of 16 bits in four bytes, which compilers know to multiply.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

const LANES: usize = 4;

impl Dots for Portable {
    type S = Scalar128b;
    type Sums = [i32; LANES];
    type Codes = [i16; 2 * LANES];
    const TAKES: usize = 2;
    const OFFSET: i32 = 0;

    #[inline(always)]
    fn lanes(self) -> Scalar128b {
        Scalar128b
    }

    #[inline(never)]
    fn call<W: DotWork>(self, work: W) -> W::Output {
        work.run(self)
    }

    #[inline(always)]
    unsafe fn sums(self, from: *const i32) -> Self::Sums {
        // SAFETY: by the caller's promise.
        unsafe { from.cast::<Self::Sums>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn weights(self, from: *const u8) -> Self::Codes {
        // SAFETY: by the caller's promise.
        unsafe { from.cast::<Self::Codes>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn values(self, from: *const u8) -> Self::Codes {
        // SAFETY: by the caller's promise.
        let [a, b] = unsafe { from.cast::<[i16; 2]>().read_unaligned() };
        [a, b, a, b, a, b, a, b]
    }

    #[inline(always)]
    fn dot(self, mut sums: Self::Sums, weights: Self::Codes, values: Self::Codes) -> Self::Sums {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let [even, odd] = [2 * lane, 2 * lane + 1];
            *sum +=
                i32::from(weights[even]) * i32::from(values[even]) + i32::from(weights[odd]) * i32::from(values[odd]);
        }
        sums
    }

    #[inline(always)]
    fn singles(self, sums: Self::Sums) -> <Scalar128b as Simd>::f32s {
        let [a, b, c, d] = sums;
        pulp::cast([a as f32, b as f32, c as f32, d as f32])
    }

    #[inline(always)]
    unsafe fn store(self, bits: <Scalar128b as Simd>::u32s, to: *mut u8) {
        let [a, b, c, d]: [u32; LANES] = pulp::cast(bits);
        // SAFETY: by the caller's promise.
        unsafe { to.cast::<[u16; LANES]>().write_unaligned([a as u16, b as u16, c as u16, d as u16]) }
    }
}
