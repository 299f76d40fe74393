//! Binding of safetensors files: read and written off the event loop.

use std::collections::HashMap;
use std::path::PathBuf;

use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;
use recurra_files::safetensors::{Contents, Entry, dtype_from_name, dtype_name, parse, to_bytes};
use recurra_files::{read_whole, write_whole};

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

impl From<Contents> for SafetensorsFile {
    fn from(contents: Contents) -> Self {
        let tensors = contents.entries.into_iter().map(|entry| FileTensor {
            name: entry.name,
            dtype: dtype_name(entry.dtype).unwrap_or("unknown").to_owned(),
            shape: entry.shape.iter().map(|&size| size as i64).collect(),
            data: Uint8Array::new(entry.data),
        });
        Self { metadata: contents.metadata, tensors: tensors.collect(), checksum: contents.checksum.to_owned() }
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
    metadata: HashMap<String, String>,
) -> napi::Result<AsyncTask<Background<(), ()>>> {
    let mut entries = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let dtype = dtype_from_name(&tensor.dtype).map_err(to_js)?;
        let shape = tensor.shape.iter().map(|&size| size.max(0) as usize).collect();
        // The bytes stay JavaScript's while they are written; callers give arrays that nobody changes.
        entries.push(Entry { name: tensor.name, dtype, shape, data: tensor.data });
    }
    let write = move || {
        let path = PathBuf::from(path);
        write_whole(&path, &to_bytes(&path, metadata, &entries)?)
    };
    Ok(AsyncTask::new(Background::new(write, |_, ()| Ok(()))))
}
