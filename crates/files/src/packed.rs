//! Deflated arrays, as in the files of compressed models.
//!
//! A deflated array is stored as a zlib stream. The metadata key [`DEFLATED`] has a JSON object with the dtype and the
//! shape of each such array. Claimed sizes are checked against the stored bytes before memory is allocated.

use std::collections::{BTreeMap, HashMap};

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use recurra_core::{Dtype, Error, ErrorCode, NamedArray, Result};

/// Metadata key of the list of deflated arrays.
pub const DEFLATED: &str = "deflated";

/// Minimum size of an array to deflate.
const MIN_BYTES: usize = 256;

/// Compression level; slower levels save less than 0.1 %.
const LEVEL: u8 = 9;

/// Maximum expansion of a deflate stream.
const MAX_RATIO: usize = 1_032;

/// Codes of weights shrink by a few times. Arrays that shrink by more than this are almost constant; in total, they may
/// have [`MAX_EMPTY`] bytes, so that a small file never takes gigabytes of memory.
const EMPTY_RATIO: usize = 64;
/// See [`EMPTY_RATIO`].
const MAX_EMPTY: usize = 64 << 20;

/// Counts the bytes of almost constant arrays.
#[derive(Default)]
struct Empty(usize);

impl Empty {
    /// Whether an array of `size` bytes, stored in `stored` bytes, is within the limit.
    fn fits(&mut self, size: usize, stored: usize) -> bool {
        let counted = if size / EMPTY_RATIO > stored { size } else { 0 };
        let fits = counted <= MAX_EMPTY - self.0;
        if fits {
            self.0 += counted;
        }
        fits
    }
}

fn damaged(name: &str, what: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::InvalidFile, format!("array {name:?} cannot be unpacked: {what}"))
}

/// The data as a zlib stream; `None` if that saves no space.
#[must_use]
pub fn deflated(data: &[u8]) -> Option<Vec<u8>> {
    if data.len() < MIN_BYTES {
        return None;
    }
    let packed = compress_to_vec_zlib(data, LEVEL);
    (packed.len() < data.len()).then_some(packed)
}

/// Deflates integer arrays if that makes them shorter, and lists them in the metadata.
pub fn pack(metadata: &mut HashMap<String, String>, arrays: &mut [NamedArray]) {
    let (mut listed, mut empty) = (BTreeMap::new(), Empty::default());
    for array in arrays {
        if matches!(array.dtype, Dtype::Float32 | Dtype::Float64) {
            continue;
        }
        if let Some(data) = deflated(&array.data)
            && empty.fits(array.data.len(), data.len())
        {
            listed.insert(array.name.clone(), (array.dtype.name(), std::mem::take(&mut array.shape)));
            *array = NamedArray { name: array.name.clone(), dtype: Dtype::Uint8, shape: vec![data.len()], data };
        }
    }
    if let Ok(text) = serde_json::to_string(&listed)
        && !listed.is_empty()
    {
        metadata.insert(DEFLATED.into(), text);
    }
}

/// The inverse of [`pack`]. Arrays that are not listed are not changed. The list is removed from the metadata.
///
/// # Errors
/// `InvalidFile` for a list that does not match the arrays, or a stream that is damaged or has another length;
/// `OutOfMemory`.
pub fn unpack(metadata: &mut HashMap<String, String>, arrays: &mut [NamedArray]) -> Result<()> {
    let Some(text) = metadata.remove(DEFLATED) else { return Ok(()) };
    let listed: BTreeMap<String, (String, Vec<usize>)> = serde_json::from_str(&text).map_err(|error| {
        Error::new(ErrorCode::InvalidFile, format!("its list of deflated arrays is damaged: {error}"))
    })?;
    let mut empty = Empty::default();
    for (name, (dtype, shape)) in listed {
        let array =
            arrays.iter_mut().find(|array| array.name == name).ok_or_else(|| damaged(&name, "it is missing"))?;
        let dtype = Dtype::parse(&dtype).map_err(|error| damaged(&name, error.message()))?;
        if array.dtype != Dtype::Uint8 {
            return Err(damaged(&name, format_args!("it is {} instead of uint8", array.dtype.name())));
        }
        let size = shape
            .iter()
            .try_fold(dtype.size(), |product, &size| product.checked_mul(size))
            .filter(|&size| size / MAX_RATIO <= array.data.len() && empty.fits(size, array.data.len()))
            .ok_or_else(|| damaged(&name, format_args!("its {} bytes cannot be {shape:?}", array.data.len())))?;
        let data = inflated(&name, &array.data, size)?;
        *array = NamedArray { name, dtype, shape, data };
    }
    Ok(())
}

/// Inflates a zlib stream of `size` bytes.
fn inflated(name: &str, packed: &[u8], size: usize) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    data.try_reserve_exact(size)
        .map_err(|_| Error::new(ErrorCode::OutOfMemory, format!("no memory for the {size} bytes of array {name:?}")))?;
    data.resize(size, 0);
    let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, read, written) = decompress(&mut DecompressorOxide::new(), packed, &mut data, 0, flags);
    match status {
        TINFLStatus::Done if read == packed.len() && written == size => Ok(data),
        TINFLStatus::Done => Err(damaged(name, format_args!("it has {written} bytes instead of {size}"))),
        TINFLStatus::HasMoreOutput => Err(damaged(name, format_args!("it has more than {size} bytes"))),
        _ => Err(damaged(name, "its stream is damaged or cut")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> (HashMap<String, String>, Vec<NamedArray>) {
        let codes: Vec<i8> = (0..2000i32).map(|at| (at * at % 7) as i8).collect();
        let arrays = vec![
            NamedArray::of("codes", vec![20, 100], &codes),
            NamedArray::of("few", vec![3], &[1u8, 2, 3]),
            NamedArray::of("floats", vec![500], &[1.0f32; 500]),
        ];
        (HashMap::from([("k".to_owned(), "v".to_owned())]), arrays)
    }

    #[test]
    fn unpacked_arrays_are_those_that_were_packed() {
        let (mut metadata, mut arrays) = sample();
        pack(&mut metadata, &mut arrays);
        assert_eq!(metadata[DEFLATED], r#"{"codes":["int8",[20,100]]}"#);
        assert!(arrays[0].data.len() < 200 && arrays[0].dtype == Dtype::Uint8);
        unpack(&mut metadata, &mut arrays).unwrap();
        assert_eq!((metadata, arrays), sample());
    }

    #[test]
    fn a_claim_beyond_what_its_bytes_can_say_takes_no_memory() {
        for shape in
            ["[18446744073709551615]", "[1099511627776]", "[1099511627776,18446744073709551615]", "[1]", "[20,101]"]
        {
            let (mut metadata, mut arrays) = sample();
            pack(&mut metadata, &mut arrays);
            metadata.insert(DEFLATED.into(), format!(r#"{{"codes":["int8",{shape}]}}"#));
            assert_eq!(unpack(&mut metadata, &mut arrays).unwrap_err().code(), ErrorCode::InvalidFile, "{shape}");
        }
    }

    #[test]
    fn arrays_of_nearly_nothing_are_packed_up_to_a_limit_and_no_file_unpacks_more() {
        let zeros = vec![0i8; MAX_EMPTY / 2 + 1];
        let (mut metadata, mut arrays) = (HashMap::new(), Vec::new());
        arrays.extend(["a", "b"].map(|name| NamedArray::of(name, vec![zeros.len()], &zeros)));
        let whole = arrays.clone();
        pack(&mut metadata, &mut arrays);
        assert!(arrays[0].data.len() < zeros.len() / EMPTY_RATIO && arrays[1] == whole[1]);
        let stored = arrays[0].data.clone();
        unpack(&mut metadata, &mut arrays).unwrap();
        assert!(arrays == whole);
        let both = format!(r#"{{"a":["int8",[{0}]],"b":["int8",[{0}]]}}"#, zeros.len());
        for array in &mut arrays {
            *array = NamedArray::list(array.name.clone(), &stored);
        }
        let error = unpack(&mut HashMap::from([(DEFLATED.into(), both)]), &mut arrays).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidFile);
    }

    proptest! {
        #[test]
        fn damage_is_a_typed_error_or_arrays(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in prop::option::of(any::<prop::sample::Index>()),
            listing in prop::option::of("[{\\[\"a-z0-9:,\\]}]{0,30}"),
        ) {
            let (mut metadata, mut arrays) = sample();
            pack(&mut metadata, &mut arrays);
            let data = &mut arrays[0].data;
            for (at, byte) in flips {
                let at = at.index(data.len());
                data[at] = byte;
            }
            if let Some(cut) = cut {
                data.truncate(cut.index(data.len()));
            }
            if let Some(listing) = listing {
                metadata.insert(DEFLATED.into(), listing);
            }
            match unpack(&mut metadata, &mut arrays) {
                Ok(()) => prop_assert!(arrays.iter().all(|array| array.data.len() <= 2000)),
                Err(error) => prop_assert_eq!(error.code(), ErrorCode::InvalidFile),
            }
        }
    }
}
