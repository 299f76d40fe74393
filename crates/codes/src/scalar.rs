//! Rows of integers times a scale.

use crate::bfloat16::{single, up};

/// Largest code with 8 and with 4 bits; codes are symmetric around 0.
pub(crate) const LARGEST_8: f32 = 127.0;
pub(crate) const LARGEST_4: f32 = 7.0;

/// Scales to try for a 4-bit row, as fractions of the scale that its largest number needs. Clipping that number
/// slightly makes all other steps smaller.
const SHARES: [f32; 6] = [1.0, 0.93, 0.86, 0.79, 0.72, 0.65];

/// The numbers of a row, rounded in units of `scale` and clamped to `-largest..=largest`.
fn rounded(row: &[f32], scale: f32, largest: f32) -> impl Iterator<Item = f32> + '_ {
    let by = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    row.iter().map(move |&value| (value * by).round().clamp(-largest, largest))
}

fn error(row: &[f32], scale: f32, largest: f32) -> f32 {
    let codes = rounded(row, scale, largest);
    row.iter().zip(codes).map(|(&value, code)| (code * scale - value) * (code * scale - value)).sum()
}

/// The scale of a row as bfloat16.
pub(crate) fn scale(row: &[f32], largest: f32) -> u16 {
    let most = row.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let whole = up(most / largest);
    if largest > LARGEST_4 {
        return whole;
    }
    let tried = SHARES.iter().map(|share| up(share * most / largest));
    tried
        .map(|scale| (error(row, single(scale), largest), scale))
        .fold((f32::INFINITY, whole), |best, one| if one.0 < best.0 { one } else { best })
        .1
}

/// Appends 8-bit codes.
pub(crate) fn encode_8(row: &[f32], scale: u16, to: &mut Vec<i8>) {
    to.extend(rounded(row, single(scale), LARGEST_8).map(|code| code as i8));
}

/// Appends 4-bit codes, two per byte with the first in the low half. An odd last code is padded with zero.
pub(crate) fn encode_4(row: &[f32], scale: u16, to: &mut Vec<u8>) {
    let mut codes = rounded(row, single(scale), LARGEST_4).map(|code| (code as i8 + 8) as u8);
    while let Some(low) = codes.next() {
        to.push(low | codes.next().unwrap_or(8) << 4);
    }
}

/// The inverse of [`encode_8`].
#[inline]
pub(crate) fn decode_8(codes: &[i8], scale: u16, to: &mut [f32]) {
    let scale = single(scale);
    to.iter_mut().zip(codes).for_each(|(to, &code)| *to = f32::from(code) * scale);
}

/// The inverse of [`encode_4`].
#[inline]
pub(crate) fn decode_4(codes: &[u8], scale: u16, to: &mut [f32]) {
    let scale = single(scale);
    let (pairs, last) = to.as_chunks_mut::<2>();
    for (pair, &code) in pairs.iter_mut().zip(codes) {
        *pair = [code & 15, code >> 4].map(|code| (f32::from(code) - 8.0) * scale);
    }
    if let ([last], Some(&code)) = (last, codes.last()) {
        *last = (f32::from(code & 15) - 8.0) * scale;
    }
}
