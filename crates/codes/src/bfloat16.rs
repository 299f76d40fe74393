//! bfloat16: the upper half of a float32.

/// The smallest bfloat16 that is at least `value`, for finite values from 0.
pub(crate) fn up(value: f32) -> u16 {
    let bits = value.to_bits();
    let upper = (bits >> 16) as u16;
    if bits & 0xffff == 0 { upper } else { upper + 1 }
}

/// The bfloat16 nearest to a finite number.
pub(crate) fn nearest(value: f32) -> u16 {
    let bits = value.to_bits();
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// The float32 value of a bfloat16.
#[inline(always)]
pub(crate) fn single(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_the_side_that_is_asked_for() {
        for value in [0.0f32, 1.0, 1.001, 3.1, 1e-20, 7.3e8, 1e-39] {
            assert!(single(up(value)) >= value && single(up(value)) <= value * 1.0079 + 1e-39, "{value}");
            assert!((single(nearest(value)) - value).abs() <= value * 0.00391 + 1e-39, "{value}");
            assert_eq!(single(nearest(-value)), -single(nearest(value)));
        }
    }
}
