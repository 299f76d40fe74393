use proptest::prelude::*;

use super::*;
use crate::{take, widened};

const CODES: [Code; 4] = [Code::Int8, Code::Int4, Code::Product { width: 2 }, Code::Product { width: 4 }];

fn matrix(rows: usize, dims: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(prop_oneof![4 => -3.0f32..3.0, 1 => Just(0.0), 1 => -1e-4f32..1e-4], rows * dims)
}

proptest! {
    /// The error of a number is at most half a step. A step is the row's largest number divided by 127 or 7; rounding
    /// it to bfloat16 widens it by less than 1 in 128.
    #[test]
    fn whole_numbers_are_within_half_a_step(values in matrix(7, 5)) {
        for (code, largest) in [(Code::Int8, 127.0), (Code::Int4, 7.0)] {
            let decoded = Coded::encode(&values, 5, code, &[1.0; 7]).unwrap().decode().unwrap();
            for (row, found) in values.chunks(5).zip(decoded.chunks(5)) {
                let most = row.iter().fold(0.0f32, |most, value| most.max(value.abs()));
                let (mut error, mut bound) = (0.0, 0.0);
                for (value, found) in row.iter().zip(found) {
                    let step = most / largest * 1.0079;
                    if code == Code::Int8 {
                        prop_assert!((value - found).abs() <= 0.5 * step + 1e-30, "{value} {found} of {most}");
                    }
                    error += (value - found).powi(2);
                    bound += (0.5 * step).powi(2);
                }
                // The 4-bit code uses the scale with the least error; the one that fits the largest number is among the
                // candidates.
                prop_assert!(error <= bound * 1.0001 + 1e-30, "{error} {bound}");
            }
        }
    }

    /// The arrays decode to the same matrix, and other arrays are not changed.
    #[test]
    fn arrays_are_the_matrix(values in matrix(9, 8)) {
        for code in CODES {
            let coded = Coded::encode(&values, 8, code, &[1.0; 9]).unwrap();
            let mut arrays = coded.to_arrays("w");
            arrays.push(NamedArray::of("w.other", vec![1], &[1.0f32]));
            let wide = widened(&arrays).unwrap();
            prop_assert_eq!(wide.iter().map(|array| array.name.as_str()).collect::<Vec<_>>(), ["w", "w.other"]);
            prop_assert_eq!(wide[0].values::<f32>().unwrap(), coded.decode().unwrap());
            prop_assert_eq!(take(&mut arrays, "w").unwrap().unwrap(), coded);
            prop_assert_eq!(arrays.len(), 1);
        }
    }

    /// Changed arrays are a matrix or a typed error; neither reading nor decoding panics.
    #[test]
    fn damaged_arrays_are_a_typed_error(
        code in prop::sample::select(&CODES[..]),
        which in any::<prop::sample::Index>(),
        shape in prop::collection::vec(prop_oneof![0usize..12, Just(usize::MAX), Just(256)], 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        flip in prop::option::of(any::<prop::sample::Index>()),
        drop in any::<bool>(),
    ) {
        let values: Vec<f32> = (0..48).map(|at| (at as f32).sin()).collect();
        let mut arrays = Coded::encode(&values, 8, code, &[1.0; 6]).unwrap().to_arrays("w");
        let at = which.index(arrays.len());
        if drop {
            arrays.remove(at);
        } else {
            let data = &mut arrays[at].data;
            if let Some(flip) = flip {
                let at = flip.index(data.len());
                data[at] ^= 0xff;
            }
            if let Some(cut) = cut {
                data.truncate(cut.index(data.len()));
            } else if !shape.is_empty() {
                arrays[at].shape = shape;
            }
        }
        match widened(&arrays) {
            Ok(arrays) => prop_assert!(arrays.iter().all(|array| array.numel().is_some())),
            Err(error) => prop_assert_eq!(error.code(), ErrorCode::InvalidFile),
        }
    }
}

#[test]
fn rows_of_few_directions_are_met_by_product_codes_exactly() {
    // There are no more distinct parts than centres, so the only error is bfloat16 rounding.
    let values: Vec<f32> =
        (0..100u32).flat_map(|row| (0..8).map(move |dim| if row % 5 == dim % 5 { 2.0 } else { -1.0 })).collect();
    let coded = Coded::encode(&values, 8, Code::Product { width: 4 }, &[1.0; 100]).unwrap();
    for (value, found) in values.iter().zip(coded.decode().unwrap()) {
        assert!((value - found).abs() < 0.02, "{value} {found}");
    }
    assert_eq!(coded.bytes(), 100 * 2 + 100 + 2 * (2 * 256 * 4 + 256));
}

#[test]
fn product_codes_meet_heavy_rows_more_closely() {
    let mut random = recurra_core::random::SplitMix64::new(1);
    let values: Vec<f32> = (0..4000 * 4).map(|_| (random.draw() >> 40) as f32 / (1 << 23) as f32 - 1.0).collect();
    let error = |weights: &[f32]| {
        let decoded = Coded::encode(&values, 4, Code::Product { width: 4 }, weights).unwrap().decode().unwrap();
        values.iter().zip(decoded).take(400 * 4).map(|(a, b)| (a - b).powi(2)).sum::<f32>()
    };
    let heavy: Vec<f32> = (0..4000).map(|row| if row < 400 { 100.0 } else { 1.0 }).collect();
    let (even, heavy) = (error(&[1.0; 4000]), error(&heavy));
    assert!(heavy < 0.6 * even, "{heavy} {even}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let code = |result: Result<Coded>| result.unwrap_err().code();
    assert_eq!(code(Coded::encode(&[1.0; 6], 3, Code::Product { width: 2 }, &[1.0; 2])), ErrorCode::InvalidShape);
    assert_eq!(code(Coded::encode(&[1.0; 5], 3, Code::Int8, &[1.0; 2])), ErrorCode::InvalidShape);
    assert_eq!(code(Coded::encode(&[f32::NAN; 3], 3, Code::Int8, &[1.0; 1])), ErrorCode::InvalidArgument);
}

#[test]
fn the_codes_are_these_bytes() {
    let coded = Coded::encode(&[1.0, -0.5, 0.25, 0.0, 0.0, 0.0], 3, Code::Int4, &[1.0; 2]).unwrap();
    let arrays = coded.to_arrays("w");
    // The scale is the bfloat16 above 0.93 / 7. In units of it, the codes are 7, -4 and 2, each plus 8.
    assert_eq!(arrays[0].data, [0x4f, 0x8a, 0x88, 0x88]);
    assert_eq!(arrays[2].data, [0x09, 0x3e, 0, 0]);
    let arrays = Coded::encode(&[1.0, -0.5, 0.25], 3, Code::Int8, &[1.0]).unwrap().to_arrays("w");
    assert_eq!(arrays[0].data.iter().map(|&byte| byte as i8).collect::<Vec<_>>(), [126, -63, 32]);
}
