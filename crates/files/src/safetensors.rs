//! The safetensors format. A file is checked completely before any of it is used.

use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;
use std::path::Path;

use recurra_core::{Dtype, Error, ErrorCode, NamedArray, Result};
use safetensors::tensor::{Dtype as Stored, TensorView};
use safetensors::{SafeTensors, serialize};
use sha2::{Digest, Sha256};

use crate::disk::invalid;
use crate::packed::unpack;

/// The contents of a file.
pub struct Contents {
    /// The file's `__metadata__`.
    pub metadata: HashMap<String, String>,
    /// Its tensors, in the order of their data.
    pub entries: Vec<NamedArray>,
    /// Whether the checksum in the metadata matches the contents: `valid`, `invalid`, or `absent`.
    pub checksum: &'static str,
}

/// The type of a stored tensor; `None` for an unsupported one.
fn dtype_of(stored: Stored) -> Option<Dtype> {
    Dtype::ALL.into_iter().find(|&dtype| stored_as(dtype) == stored)
}

/// The format's name of a type.
const fn stored_as(dtype: Dtype) -> Stored {
    match dtype {
        Dtype::Float32 => Stored::F32,
        Dtype::Float64 => Stored::F64,
        Dtype::BFloat16 => Stored::BF16,
        Dtype::Int64 => Stored::I64,
        Dtype::Int32 => Stored::I32,
        Dtype::Uint32 => Stored::U32,
        Dtype::Uint8 => Stored::U8,
        Dtype::Int8 => Stored::I8,
        Dtype::Bool => Stored::BOOL,
    }
}

/// Converts float16 bits to float32 (IEEE 754-2019, 3.4).
fn single(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let exponent = u32::from(half >> 10 & 0x1f);
    let fraction = u32::from(half & 0x3ff);
    match exponent {
        // Zero or a subnormal number: fraction / 2^24, which is exact in float32.
        0 => f32::from_bits(sign | (fraction as f32 / 16_777_216.0).to_bits()),
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

/// Converts float16 bytes to float32, because the engines do not support float16.
fn widened(halves: &[u8], path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(halves.len() * 2).map_err(|_| {
        Error::new(ErrorCode::OutOfMemory, format!("{}: no memory for its float16 as float32", path.display()))
    })?;
    for half in halves.chunks_exact(2) {
        bytes.extend_from_slice(&single(u16::from_le_bytes([half[0], half[1]])).to_le_bytes());
    }
    Ok(bytes)
}

/// Parses the bytes of a file; `path` is for messages. float16 arrays are converted to float32; deflated ones are
/// inflated.
///
/// # Errors
/// `InvalidFile` unless it is a complete safetensors file with supported types.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Contents> {
    let broken = |error: safetensors::SafeTensorError| {
        invalid(path, format_args!("not a complete safetensors file of {} bytes: {error}", bytes.len()))
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let views = SafeTensors::deserialize(bytes).map_err(broken)?;
    let mut entries = Vec::with_capacity(views.len());
    for name in header.offset_keys() {
        let view = views.tensor(&name).map_err(broken)?;
        if view.dtype() == Stored::F16 {
            let data = widened(view.data(), path)?;
            entries.push(NamedArray { name, dtype: Dtype::Float32, shape: view.shape().to_vec(), data });
            continue;
        }
        let Some(dtype) = dtype_of(view.dtype()) else {
            return Err(invalid(
                path,
                format_args!("tensor {name:?} has dtype {:?}, which is not supported", view.dtype()),
            ));
        };
        entries.push(NamedArray { name, dtype, shape: view.shape().to_vec(), data: view.data().to_vec() });
    }
    let mut metadata = header.metadata().clone().unwrap_or_default();
    let checksum = match metadata.get(CHECKSUM) {
        None => "absent",
        Some(stated) if *stated == checksum_of(&metadata, &entries) => "valid",
        Some(_) => "invalid",
    };
    unpack(&mut metadata, &mut entries)
        .map_err(|error| Error::new(error.code(), format!("{}: {}", path.display(), error.message())))?;
    Ok(Contents { metadata, entries, checksum })
}

/// Metadata key of the checksum.
const CHECKSUM: &str = "sha256";

/// SHA-256 of the other metadata and all tensors, each sorted by name and prefixed with its length.
fn checksum_of<D: Deref<Target = [u8]>>(metadata: &HashMap<String, String>, entries: &[NamedArray<D>]) -> String {
    fn field(hash: &mut Sha256, bytes: &[u8]) {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    let mut hash = Sha256::new();
    for (key, value) in metadata.iter().filter(|(key, _)| *key != CHECKSUM).collect::<BTreeMap<_, _>>() {
        field(&mut hash, key.as_bytes());
        field(&mut hash, value.as_bytes());
    }
    for (name, entry) in entries.iter().map(|entry| (&entry.name, entry)).collect::<BTreeMap<_, _>>() {
        field(&mut hash, name.as_bytes());
        field(&mut hash, format!("{:?} {:?}", stored_as(entry.dtype), entry.shape).as_bytes());
        field(&mut hash, &entry.data);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a file, with a checksum in its metadata; `path` is for messages. The same contents give the same bytes.
///
/// # Errors
/// `InvalidShape` for an array whose data do not match its shape.
pub fn to_bytes<D: Deref<Target = [u8]>>(
    path: &Path,
    mut metadata: HashMap<String, String>,
    entries: &[NamedArray<D>],
) -> Result<Vec<u8>> {
    metadata.insert(CHECKSUM.to_owned(), checksum_of(&metadata, entries));
    let mut views = BTreeMap::new();
    for entry in entries {
        let view = TensorView::new(stored_as(entry.dtype), entry.shape.clone(), &entry.data).map_err(|error| {
            Error::new(ErrorCode::InvalidShape, format!("tensor {:?} cannot be written: {error}", entry.name))
        })?;
        views.insert(entry.name.as_str(), view);
    }
    let sorted =
        serde_json::to_vec(&metadata.iter().collect::<BTreeMap<_, _>>()).map_err(|error| invalid(path, error))?;
    let mut bytes = serialize(views, Some(metadata)).map_err(|error| invalid(path, error))?;
    // The writer stores the metadata in hash map order, which differs between processes. Sorted, it has the same
    // length.
    let from = LENGTH + METADATA.len();
    match bytes.get_mut(LENGTH..from + sorted.len()) {
        Some(header) if header.starts_with(METADATA) => header[METADATA.len()..].copy_from_slice(&sorted),
        _ => return Err(invalid(path, "its header does not begin with its metadata")),
    }
    Ok(bytes)
}

/// Size in bytes of the header length at the start of a file.
const LENGTH: usize = 8;
/// Start of a header with metadata.
const METADATA: &[u8] = b"{\"__metadata__\":";

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let data: Vec<u8> = [1.0f32, 2.0, 3.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = TensorView::new(Stored::F32, vec![3], &data).unwrap();
        serialize([("w", view)], Some(HashMap::from([("k".to_owned(), "v".to_owned())]))).unwrap()
    }

    #[test]
    fn float16_becomes_the_float32_of_the_same_value() {
        for half in 0..=u16::MAX {
            let (exponent, fraction) = (i32::from(half >> 10 & 0x1f), f64::from(half & 0x3ff) / 1024.0);
            let size = match exponent {
                0 => fraction * 2f64.powi(-14),
                31 if fraction == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
            };
            let value = if half & 0x8000 == 0 { size } else { -size };
            let found = single(half);
            assert!(f64::from(found) == value || (found.is_nan() && value.is_nan()), "{half:#06x}: {found} {value}");
            assert_eq!(found.is_sign_negative(), half & 0x8000 != 0);
        }
    }

    #[test]
    fn the_same_contents_give_the_same_bytes_in_the_order_of_the_keys() {
        let entries: [NamedArray; 0] = [];
        let keys = ["model", "format", "recurra", "tokenizer.json", "a \"quoted\" key", "é"];
        let write = |keys: &mut dyn Iterator<Item = &str>| {
            let metadata = keys.map(|key| (key.to_owned(), format!("{key}\n\\"))).collect();
            to_bytes(Path::new("f"), metadata, &entries).unwrap()
        };
        let first = write(&mut keys.into_iter());
        // Each map has a different order.
        for _ in 0..20 {
            assert_eq!(write(&mut keys.into_iter().rev()), first);
        }
        let text = String::from_utf8_lossy(&first[8..]).into_owned();
        assert!(text.starts_with(r#"{"__metadata__":{"a \"quoted\" key":"#), "{text}");
        let read = parse(Path::new("f"), &first).unwrap();
        assert_eq!((read.checksum, read.metadata.len()), ("valid", keys.len() + 1));
    }

    #[test]
    fn a_file_cut_at_any_byte_is_refused() {
        let whole = sample();
        assert!(parse(Path::new("m"), &whole).is_ok());
        for end in 0..whole.len() {
            let error = parse(Path::new("m"), &whole[..end]).err().expect("a truncated file must be refused");
            assert_eq!(error.code(), ErrorCode::InvalidFile, "cut at {end}");
        }
    }

    #[test]
    fn a_header_that_claims_more_than_the_file_is_refused() {
        let mut bytes = sample();
        bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(parse(Path::new("m"), &bytes).err().unwrap().code(), ErrorCode::InvalidFile);
    }

    #[test]
    fn a_flipped_bit_is_noticed_by_the_checksum() {
        let contents = parse(Path::new("m"), &sample()).unwrap();
        let sum = checksum_of(&contents.metadata, &contents.entries);
        let with_sum = |sum: &str| {
            let entry = &contents.entries[0];
            let view = TensorView::new(stored_as(entry.dtype), entry.shape.clone(), &entry.data).unwrap();
            let mut metadata = contents.metadata.clone();
            metadata.insert(CHECKSUM.to_owned(), sum.to_owned());
            serialize([("w", view)], Some(metadata)).unwrap()
        };
        assert_eq!(contents.checksum, "absent");
        let mut bytes = with_sum(&sum);
        assert_eq!(parse(Path::new("m"), &bytes).unwrap().checksum, "valid");
        *bytes.last_mut().unwrap() ^= 1;
        assert_eq!(parse(Path::new("m"), &bytes).unwrap().checksum, "invalid");
    }

    /// The seeds of the fuzzer, including inputs that once failed.
    #[test]
    fn the_seeds_are_tensors_or_a_typed_error() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/safetensors");
        let mut read = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            match parse(Path::new("m"), &std::fs::read(file.unwrap().path()).unwrap()) {
                Ok(_) => read += 1,
                Err(error) => assert_eq!(error.code(), ErrorCode::InvalidFile),
            }
        }
        assert!(read >= 3);
    }

    use proptest::prelude::*;

    proptest! {
        /// Set `PROPTEST_CASES` for a longer run. Changed, truncated and arbitrary bytes are either consistent tensors
        /// or a typed error.
        #[test]
        fn any_bytes_are_tensors_or_a_typed_error(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
            cut in prop::option::of(any::<prop::sample::Index>()),
            other in prop::option::weighted(0.2, prop::collection::vec(any::<u8>(), 0..300)),
        ) {
            let mut bytes = other.unwrap_or_else(sample);
            for (at, byte) in changes {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
            match parse(Path::new("m"), &bytes) {
                Ok(contents) => {
                    let sum: usize = contents.entries.iter().map(|entry| entry.data.len()).sum();
                    prop_assert!(sum <= bytes.len());
                    for entry in &contents.entries {
                        prop_assert_eq!(entry.numel().map(|n| n * entry.dtype.size()), Some(entry.data.len()));
                    }
                }
                Err(error) => prop_assert_eq!(error.code(), ErrorCode::InvalidFile),
            }
        }
    }
}
