//! Reads and writes safetensors files: whole, checked, and off the event loop.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;
use recurra_kernels::{Error, ErrorCode, Result};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use sha2::{Digest, Sha256};

use recurra_binding::{Background, to_js};

/// One tensor of a safetensors file.
#[napi(object)]
pub struct FileTensor {
    /// Name, as in a PyTorch state dict.
    pub name: String,
    /// `float32`, `float64`, `int64`, `int32` or `bool`.
    pub dtype: String,
    /// Sizes of the dimensions.
    pub shape: Vec<i64>,
    /// The elements, little-endian, row-major.
    pub data: Uint8Array,
}

/// A safetensors file in memory.
#[napi(object)]
pub struct SafetensorsFile {
    /// The file's `__metadata__`.
    pub metadata: HashMap<String, String>,
    /// Its tensors, in the order of their data.
    pub tensors: Vec<FileTensor>,
    /// Whether the checksum in the metadata fits the contents: `valid`, `invalid`, or `absent`.
    pub checksum: String,
}

/// A tensor's bytes: read from a file, or kept alive in JavaScript's memory while they are written. Those are never
/// changed: callers give arrays that nobody else has.
enum Data {
    Read(Vec<u8>),
    Given(Uint8Array),
}

impl std::ops::Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Read(bytes) => bytes,
            Self::Given(bytes) => bytes,
        }
    }
}

struct Entry {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    data: Data,
}

/// The contents of a file, before they become JavaScript values.
pub struct Contents {
    metadata: HashMap<String, String>,
    entries: Vec<Entry>,
    checksum: &'static str,
}

impl From<Contents> for SafetensorsFile {
    fn from(contents: Contents) -> Self {
        let tensors = contents.entries.into_iter().map(|entry| FileTensor {
            name: entry.name,
            dtype: dtype_name(entry.dtype).unwrap_or("unknown").to_owned(),
            shape: entry.shape.iter().map(|&size| size as i64).collect(),
            data: match entry.data {
                Data::Read(bytes) => Uint8Array::new(bytes),
                Data::Given(bytes) => bytes,
            },
        });
        Self { metadata: contents.metadata, tensors: tensors.collect(), checksum: contents.checksum.to_owned() }
    }
}

fn dtype_name(dtype: Dtype) -> Option<&'static str> {
    match dtype {
        Dtype::F32 => Some("float32"),
        Dtype::F64 => Some("float64"),
        Dtype::I64 => Some("int64"),
        Dtype::I32 => Some("int32"),
        Dtype::BOOL => Some("bool"),
        _ => None,
    }
}

fn dtype_from_name(name: &str) -> Result<Dtype> {
    match name {
        "float32" => Ok(Dtype::F32),
        "float64" => Ok(Dtype::F64),
        "int64" => Ok(Dtype::I64),
        "int32" => Ok(Dtype::I32),
        "bool" => Ok(Dtype::BOOL),
        other => Err(Error::new(ErrorCode::InvalidDtype, format!("safetensors files here hold no {other}"))),
    }
}

fn invalid(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::InvalidFile, format!("{}: {what}", path.display()))
}

fn io(path: &Path, doing: &str, error: &std::io::Error) -> Error {
    Error::new(ErrorCode::Io, format!("{}: cannot {doing}: {error}", path.display()))
}

/// Reads the file whole. Its size comes from the file system, never from a number that the file itself states.
pub(crate) fn read_whole(path: &Path, limit: u64) -> Result<Vec<u8>> {
    // Looked at before it is opened too: the opening of a pipe waits for somebody who writes.
    if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(invalid(path, "not a regular file"));
    }
    let mut file = File::open(path).map_err(|error| io(path, "open", &error))?;
    let about = file.metadata().map_err(|error| io(path, "inspect", &error))?;
    if !about.is_file() {
        return Err(invalid(path, "not a regular file"));
    }
    if about.len() > limit {
        return Err(invalid(path, format_args!("{} bytes, more than the limit of {limit}", about.len())));
    }
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(about.len() as usize)
        .map_err(|_| Error::new(ErrorCode::Io, format!("{}: no memory for {} bytes", path.display(), about.len())))?;
    // One byte more than the size, so that a file which grows meanwhile is noticed.
    Read::by_ref(&mut file).take(about.len() + 1).read_to_end(&mut bytes).map_err(|error| io(path, "read", &error))?;
    if bytes.len() as u64 != about.len() {
        return Err(invalid(path, "the file changed while it was read"));
    }
    Ok(bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Contents> {
    let broken = |error: safetensors::SafeTensorError| {
        invalid(path, format_args!("not a whole safetensors file of {} bytes: {error}", bytes.len()))
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let views = SafeTensors::deserialize(bytes).map_err(broken)?;
    let mut entries = Vec::with_capacity(views.len());
    for name in header.offset_keys() {
        let view = views.tensor(&name).map_err(broken)?;
        if dtype_name(view.dtype()).is_none() {
            return Err(invalid(
                path,
                format_args!("tensor {name:?} has dtype {:?}, which is not read here", view.dtype()),
            ));
        }
        entries.push(Entry {
            name,
            dtype: view.dtype(),
            shape: view.shape().to_vec(),
            data: Data::Read(view.data().to_vec()),
        });
    }
    let metadata = header.metadata().clone().unwrap_or_default();
    let checksum = match metadata.get(CHECKSUM) {
        None => "absent",
        Some(stated) if *stated == checksum_of(&metadata, &entries) => "valid",
        Some(_) => "invalid",
    };
    Ok(Contents { metadata, entries, checksum })
}

/// Key of the metadata under which a file's checksum stands.
const CHECKSUM: &str = "sha256";

/// SHA-256 over the other metadata and all tensors, each in the order of names and with its length before it.
fn checksum_of(metadata: &HashMap<String, String>, entries: &[Entry]) -> String {
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
        field(&mut hash, format!("{:?} {:?}", entry.dtype, entry.shape).as_bytes());
        field(&mut hash, &entry.data);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A name of at most so many bytes leaves room for what is put around it.
const LONGEST_NAME: usize = 200;

/// Writes to a temporary file beside `path`, syncs it, and renames it, so that `path` is always whole, old or new.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let old = std::fs::metadata(&target).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        // Renaming would put a file in the place of a device such as /dev/null.
        return Err(Error::new(ErrorCode::Io, format!("{}: not a regular file", path.display())));
    }
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Named after the file, so that what a killed process left behind can be told apart.
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let prefix = if name.len() <= LONGEST_NAME { format!(".{name}.") } else { ".recurra.".to_owned() };
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process' umask still applies; tempfile's own default would leave a model that only its owner can read.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder).map_err(|error| io(path, "create a file beside", &error))?;
    temporary.write_all(bytes).map_err(|error| io(path, "write", &error))?;
    if let Some(old) = old {
        // Who may read the file was decided when it was made. Where the system refuses, the new one is as any other.
        let _ = temporary.as_file().set_permissions(old.permissions());
    }
    temporary.as_file().sync_all().map_err(|error| io(path, "sync", &error))?;
    temporary.persist(&target).map_err(|error| io(path, "replace", &error.error))?;
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems cannot sync a folder; the file itself is already safe.
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Err(io(path, "sync the folder of", &error))
        }
        _ => Ok(()),
    }
}

/// Reads a safetensors file, of at most `limit` bytes, and checks it whole before anything is returned.
#[napi(catch_unwind, ts_return_type = "Promise<SafetensorsFile>")]
pub fn read_safetensors(path: String, limit: f64) -> AsyncTask<Background<Contents, SafetensorsFile>> {
    let path = PathBuf::from(path);
    let read = move || {
        let bytes = read_whole(&path, limit as u64)?;
        parse(&path, &bytes)
    };
    AsyncTask::new(Background::new(read, |_, contents| Ok(contents.into())))
}

/// Writes a safetensors file atomically: to a temporary name, synced, renamed. Its metadata gets a checksum, `sha256`.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn write_safetensors(
    path: String,
    tensors: Vec<FileTensor>,
    mut metadata: HashMap<String, String>,
) -> napi::Result<AsyncTask<Background<(), ()>>> {
    let mut entries = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let dtype = dtype_from_name(&tensor.dtype).map_err(to_js)?;
        let shape = tensor.shape.iter().map(|&size| size.max(0) as usize).collect();
        entries.push(Entry { name: tensor.name, dtype, shape, data: Data::Given(tensor.data) });
    }
    let write = move || {
        let path = PathBuf::from(path);
        metadata.insert(CHECKSUM.to_owned(), checksum_of(&metadata, &entries));
        let mut views = BTreeMap::new();
        for entry in &entries {
            let view = TensorView::new(entry.dtype, entry.shape.clone(), &entry.data).map_err(|error| {
                Error::new(ErrorCode::InvalidShape, format!("tensor {:?} cannot be written: {error}", entry.name))
            })?;
            views.insert(entry.name.as_str(), view);
        }
        let bytes = serialize(views, Some(metadata)).map_err(|error| invalid(&path, error))?;
        write_whole(&path, &bytes)
    };
    Ok(AsyncTask::new(Background::new(write, |_, ()| Ok(()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let data: Vec<u8> = [1.0f32, 2.0, 3.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![3], &data).unwrap();
        serialize([("w", view)], Some(HashMap::from([("k".to_owned(), "v".to_owned())]))).unwrap()
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
            let view = TensorView::new(entry.dtype, entry.shape.clone(), &entry.data).unwrap();
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

    #[test]
    fn writing_replaces_the_old_file_whole_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        std::fs::write(&path, b"old").unwrap();
        write_whole(&path, &sample()).unwrap();
        assert_eq!(read_whole(&path, 1 << 20).unwrap(), sample());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn writing_keeps_who_may_read_the_file_and_spares_devices_and_links() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("model"), folder.path().join("link"));
        std::fs::write(&path, b"old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_whole(&link, &sample()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        for other in [Path::new("/dev/null"), folder.path()] {
            assert_eq!(write_whole(other, b"x").unwrap_err().code(), ErrorCode::Io);
        }
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_larger_file_than_the_limit_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        std::fs::write(&path, sample()).unwrap();
        assert_eq!(read_whole(&path, 8).unwrap_err().code(), ErrorCode::InvalidFile);
    }

    use proptest::prelude::*;

    proptest! {
        /// `PROPTEST_CASES` makes it long. A file whose bytes were changed or cut anywhere, or that is any bytes at all: what
        /// is read agrees with itself, all else is a typed error.
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
                        let elements: usize = entry.shape.iter().product();
                        prop_assert_eq!(elements * entry.dtype.bitsize() / 8, entry.data.len());
                    }
                }
                Err(error) => prop_assert_eq!(error.code(), ErrorCode::InvalidFile),
            }
        }
    }
}
