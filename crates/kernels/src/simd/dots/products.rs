//! What multiplies codes, and work that is compiled once for each of them.

use crate::simd::Lanes;

/// The largest code.
pub(crate) const LARGEST: f32 = 127.0;

/// 1.5 * 2^23: adding it rounds to an integer, half to even, whose two's complement is then in the low bits.
const ROUND: f32 = 12_582_912.0;

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
