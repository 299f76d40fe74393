//! Binding of safetensors files, which are read and written off the event loop.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use recurra_core::{self as core, Error, ErrorCode, Result};
use recurra_files::safetensors::{Contents, parse, to_bytes};
use recurra_files::{DESCRIPTION, TOKENS, read_whole, take_tokens, unpack_tokens, write_whole};

use recurra_binding::objects::NamedArray;
use recurra_binding::{Background, IntoJs};
use recurra_compress::COMPRESSION;
use recurra_text::Vocabulary;

use crate::vocabulary::NativeVocabulary;

/// A safetensors file in memory.
#[napi(object)]
pub struct SafetensorsFile {
    /// The file's `__metadata__`.
    pub metadata: HashMap<String, String>,
    /// Its tensors, in the order of their data.
    pub tensors: Vec<NamedArray>,
    /// Whether the checksum in the metadata matches the contents: `valid`, `invalid`, or `absent`.
    pub checksum: String,
}

impl From<Contents> for SafetensorsFile {
    fn from(contents: Contents) -> Self {
        let tensors = contents.entries.into_iter().map(NamedArray::from);
        Self { metadata: contents.metadata, tensors: tensors.collect(), checksum: contents.checksum.to_owned() }
    }
}

/// A file's tensors for a network, without a copy. Names that start with `except` are skipped.
pub(crate) fn named<'a>(contents: &'a Contents, except: Option<&str>) -> Vec<core::NamedArray<&'a [u8]>> {
    let counts = |name: &str| except.is_none_or(|prefix| !name.starts_with(prefix));
    contents.entries.iter().filter(|entry| counts(&entry.name)).map(core::NamedArray::borrowed).collect()
}

/// Passes a file's tensors, from [`named`], to `take`, then returns their memory to the system.
pub(crate) fn load(
    contents: Contents,
    except: Option<&str>,
    take: impl FnOnce(&[core::NamedArray<&[u8]>]) -> Result<()>,
) -> Result<()> {
    take(&named(&contents, except))?;
    drop(contents);
    give_back();
    Ok(())
}

/// Returns the memory that loading a model freed to the system. glibc would otherwise keep several times the model's
/// size.
fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        // SAFETY: glibc's own function; it may be called at any time on any thread.
        unsafe { malloc_trim(0) };
    }
}

/// The description of a held tensor.
#[napi(object, object_from_js = false)]
pub struct HeldTensor {
    /// Name, as in a PyTorch state dict.
    pub name: String,
    /// Sizes of the dimensions.
    pub shape: Vec<i64>,
    /// Size of the elements in bytes.
    pub byte_length: f64,
}

/// The tensors of a file, outside the JavaScript heap until a network takes them. Copying them into it and back, and
/// waiting for the garbage collector, would cost several times their size.
#[napi]
pub struct HeldTensors {
    contents: Mutex<Option<Contents>>,
    metadata: HashMap<String, String>,
    vocabulary: Option<Vocabulary>,
    /// The file itself, if it is a compressed model.
    packed: Option<Arc<Vec<u8>>>,
    checksum: String,
}

#[napi]
impl HeldTensors {
    /// The file's `__metadata__`; empty on a second call.
    #[napi(catch_unwind)]
    pub fn take_metadata(&mut self) -> HashMap<String, String> {
        std::mem::take(&mut self.metadata)
    }

    /// The vocabulary that was taken out of the metadata. `null` if the tokens are still in the metadata, and on a
    /// second call.
    #[napi(catch_unwind)]
    pub fn take_vocabulary(&mut self, env: Env) -> Option<NativeVocabulary> {
        self.vocabulary.take().map(|vocabulary| NativeVocabulary::from(env, vocabulary))
    }

    /// Whether the checksum in the metadata matches the contents: `valid`, `invalid`, or `absent`.
    #[napi(getter, catch_unwind)]
    pub fn checksum(&self) -> String {
        self.checksum.clone()
    }

    /// The tensors in the order of their data; empty after they were taken. A coded matrix counts as one tensor, with
    /// its float32 size.
    #[napi(getter, catch_unwind)]
    pub fn tensors(&self) -> Vec<HeldTensor> {
        let contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        // Incomplete data was rejected when the file was read.
        let listed = contents.as_ref().and_then(|contents| recurra_codes::listed(&contents.entries).ok());
        let tensors = listed.into_iter().flatten().map(|tensor| HeldTensor {
            name: tensor.name,
            shape: tensor.shape.iter().map(|&size| size as i64).collect(),
            byte_length: tensor.bytes as f64,
        });
        tensors.collect()
    }

    /// Takes the tensors whose names start with `prefix`, and removes the prefix. The others stay.
    #[napi(catch_unwind)]
    pub fn take_part(&self, prefix: String) -> HeldTensors {
        let mut entries = self.take_some(&prefix);
        for entry in &mut entries {
            entry.name.drain(..prefix.len());
        }
        let checksum = self.checksum.clone();
        let contents = Contents { metadata: HashMap::new(), entries, checksum: "absent" };
        let contents = Mutex::new(Some(contents));
        HeldTensors { contents, metadata: HashMap::new(), vocabulary: None, packed: None, checksum }
    }

    /// Frees the tensors.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        drop(self.take());
    }
}

impl HeldTensors {
    /// The file itself, if it is a compressed model; `None` on a second call.
    pub(crate) fn take_bytes(&mut self) -> Option<Arc<Vec<u8>>> {
        self.packed.take()
    }

    /// Takes the contents.
    pub(crate) fn take(&self) -> Result<Contents> {
        let taken = self.contents.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| Error::new(ErrorCode::Disposed, "these tensors have already been taken"))
    }

    /// Takes the tensors whose names start with `prefix`. The others stay.
    pub(crate) fn take_some(&self, prefix: &str) -> Vec<core::NamedArray> {
        let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = contents.as_mut().map(|contents| std::mem::take(&mut contents.entries)).unwrap_or_default();
        let (some, rest) = entries.into_iter().partition(|entry| entry.name.starts_with(prefix));
        if let Some(contents) = contents.as_mut() {
            contents.entries = rest;
        }
        some
    }
}

/// Reads a safetensors file, of at most `limit` bytes, and checks it completely before anything is returned.
#[napi(catch_unwind, ts_return_type = "Promise<SafetensorsFile>")]
pub fn read_safetensors(path: String, limit: f64) -> AsyncTask<Background<Contents, SafetensorsFile>> {
    let path = PathBuf::from(path);
    let read = move || {
        let bytes = read_whole(&path, limit as u64)?;
        parse(&path, &bytes)
    };
    AsyncTask::new(Background::new(read, |_, contents| Ok(contents.into())))
}

/// Prefix of a checkpoint's arrays that are not weights.
const TRAINING: &str = "training.";

/// The contents of a file, and the vocabulary taken out of it.
pub struct Held {
    contents: Contents,
    vocabulary: Option<Vocabulary>,
    packed: Option<Arc<Vec<u8>>>,
}

impl Held {
    /// Reads the bytes of a file; `path` is for messages.
    pub(crate) fn read(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let mut contents = parse(path, &bytes)?;
        let compressed = contents.metadata.contains_key(COMPRESSION);
        let packed = compressed.then(|| Arc::new(bytes));
        Self::of(path, &mut contents, packed)
    }

    /// Like [`Held::read`], for shared bytes.
    pub(crate) fn shared(path: &Path, bytes: Arc<Vec<u8>>) -> Result<Self> {
        let mut contents = parse(path, &bytes)?;
        Self::of(path, &mut contents, Some(bytes))
    }

    fn of(path: &Path, contents: &mut Contents, packed: Option<Arc<Vec<u8>>>) -> Result<Self> {
        let in_file = |error: Error| Error::new(error.code(), format!("{}: {}", path.display(), error.message()));
        let Contents { metadata, entries, checksum } = contents;
        let at = packed.as_ref().and_then(|_| entries.iter().position(|entry| entry.name == TOKENS));
        let vocabulary = match at {
            Some(at) => {
                let mut vocabulary = Vocabulary::default();
                unpack_tokens(&entries.remove(at).data, |token| vocabulary.add(token).is_ok()).map_err(in_file)?;
                vocabulary.finish();
                Some(vocabulary)
            }
            // Most of a model's description is its vocabulary; JavaScript would create a string for each word.
            None => metadata.get_mut(DESCRIPTION).and_then(|description| {
                let mut vocabulary = Vocabulary::default();
                *description = take_tokens(description, |token| vocabulary.add(token).is_ok())?;
                vocabulary.finish();
                Some(vocabulary)
            }),
        };
        recurra_codes::listed(entries).map_err(in_file)?;
        let mut weights = entries.iter().filter(|entry| !entry.name.starts_with(TRAINING));
        weights.try_for_each(core::NamedArray::expect_finite).map_err(in_file)?;
        let contents = Contents { metadata: std::mem::take(metadata), entries: std::mem::take(entries), checksum };
        Ok(Self { contents, vocabulary, packed })
    }

    /// Converts it for JavaScript.
    pub(crate) fn tensors(self) -> HeldTensors {
        let Self { mut contents, vocabulary, packed } = self;
        let metadata = std::mem::take(&mut contents.metadata);
        let checksum = contents.checksum.to_owned();
        HeldTensors { checksum, metadata, vocabulary, packed, contents: Mutex::new(Some(contents)) }
    }
}

/// Like `readSafetensors`, but keeps the tensors for a network's `loadHeld`.
#[napi(catch_unwind, ts_return_type = "Promise<HeldTensors>")]
pub fn hold_safetensors(path: String, limit: f64) -> AsyncTask<Background<Held, HeldTensors>> {
    let path = PathBuf::from(path);
    let read = move || Held::read(&path, read_whole(&path, limit as u64)?);
    AsyncTask::new(Background::new(read, |_, held: Held| Ok(held.tensors())))
}

/// Writes a safetensors file atomically: to a temporary name, synced, renamed. Its metadata gets a checksum, `sha256`.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn write_safetensors(
    path: String,
    tensors: Vec<NamedArray>,
    metadata: HashMap<String, String>,
) -> napi::Result<AsyncTask<Background<(), ()>>> {
    // The bytes are not copied while they are written; callers must not change the arrays.
    let entries = NamedArray::into_core(tensors).js()?;
    let write = move || {
        let path = PathBuf::from(path);
        write_whole(&path, &to_bytes(&path, metadata, &entries)?)
    };
    Ok(AsyncTask::new(Background::new(write, |_, ()| Ok(()))))
}
