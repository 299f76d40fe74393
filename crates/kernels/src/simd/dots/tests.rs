use super::*;
use crate::simd::{Lanes, load};
use recurra_core::random::SplitMix64;

const ALL: [DotIsa; 6] =
    [DotIsa::Vnni512, DotIsa::Vnni256, DotIsa::Avx2, DotIsa::NeonDot, DotIsa::Neon, DotIsa::Portable];

/// Sums of `weights[lane][i] * values[i]`, for 16 lanes, from numbers in the layout that the instructions want.
struct Sums<'a> {
    weights: &'a [Vec<i8>],
    values: &'a [i8],
}

impl DotWork for Sums<'_> {
    type Output = Vec<f32>;
    #[inline(always)]
    fn run<D: Dots>(self, dots: D) -> Vec<f32> {
        let Self { weights, values } = self;
        let (lanes, bytes) = (D::S::L, code_bytes::<D>());
        let code = |value: i32| value.to_le_bytes()[..bytes].to_vec();
        let values: Vec<u8> = values.iter().flat_map(|&value| code(i32::from(value) + D::OFFSET)).collect();
        let mut found = Vec::new();
        for rows in weights.chunks(lanes) {
            let start: Vec<i32> =
                rows.iter().map(|row| -D::OFFSET * row.iter().map(|&weight| i32::from(weight)).sum::<i32>()).collect();
            // SAFETY: a value for each lane, and four bytes of codes for each lane and group of codes.
            unsafe {
                let mut sums = dots.sums(start.as_ptr());
                for (group, values) in values.chunks(4).enumerate() {
                    let group: Vec<u8> = rows
                        .iter()
                        .flat_map(|row| &row[group * D::TAKES..][..D::TAKES])
                        .flat_map(|&weight| code(i32::from(weight)))
                        .collect();
                    sums = dots.dot(sums, dots.weights(group.as_ptr()), dots.values(values.as_ptr()));
                }
                let mut singles = vec![0.0; lanes];
                crate::simd::store(dots.lanes(), singles.as_mut_ptr(), dots.singles(sums));
                found.extend(singles);
            }
        }
        found
    }
}

#[test]
fn sums_are_exact_with_every_instruction_set() {
    let mut random = SplitMix64::new(5);
    let mut code = |_| (random.share() * 255.0) as i32 as i16 - 127;
    for count in [4, 16, 32, 256] {
        let random: Vec<Vec<i8>> = (0..17).map(|_| (0..count).map(|i| code(i) as i8).collect()).collect();
        // Extremes do not overflow within a product of 16 bits.
        for (weights, values) in [
            (random[..16].to_vec(), random[16].clone()),
            (vec![vec![127; count]; 16], vec![-127; count]),
            (vec![vec![-127; count]; 16], vec![-127; count]),
            (vec![vec![127; count]; 16], vec![127; count]),
        ] {
            let expected: Vec<f32> = weights
                .iter()
                .map(|row| row.iter().zip(&values).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum::<i32>() as f32)
                .collect();
            for isa in ALL.into_iter().filter(|isa| isa.available()) {
                let found = dispatch_dots_on(isa, Sums { weights: &weights, values: &values });
                assert_eq!(found, expected, "{isa:?}, {count} codes");
            }
        }
    }
}

/// The codes of values, whose number is a multiple of 16.
struct Encoded<'a>(&'a [f32]);

impl DotWork for Encoded<'_> {
    type Output = Vec<i32>;
    #[inline(always)]
    fn run<D: Dots>(self, dots: D) -> Vec<i32> {
        let bytes = code_bytes::<D>();
        let mut codes = vec![0_u8; self.0.len() * bytes];
        for at in (0..self.0.len()).step_by(D::S::L) {
            // SAFETY: both have values and codes for each lane.
            unsafe { dots.encode(load(dots.lanes(), self.0.as_ptr().add(at)), codes.as_mut_ptr().add(at * bytes)) };
        }
        let read = |code: &[u8]| match D::OFFSET {
            0 if bytes == 1 => i32::from(code[0] as i8),
            0 => i32::from(i16::from_le_bytes([code[0], code[1]])),
            offset => i32::from(code[0]) - offset,
        };
        codes.chunks_exact(bytes).map(read).collect()
    }
}

#[test]
fn codes_are_the_nearest_with_every_instruction_set() {
    let mut random = SplitMix64::new(6);
    let mut values: Vec<f32> = (0..1000).map(|_| random.share() as f32 * 2.0 - 1.0).collect();
    values.extend([0.0, -0.0, 1.0, -1.0, 0.5 / 127.0, 1.5 / 127.0, -2.5 / 127.0, 1e-30]);
    let expected: Vec<i32> = values.iter().map(|value| (value * LARGEST).round_ties_even() as i32).collect();
    for isa in ALL.into_iter().filter(|isa| isa.available()) {
        assert_eq!(dispatch_dots_on(isa, Encoded(&values)), expected, "{isa:?}");
    }
}
