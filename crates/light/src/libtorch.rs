//! Opens libtorch by absolute path, so that the torch addon finds it already loaded under its soname.

use std::path::Path;

use libloading::Library;
use napi::bindgen_prelude::Result;
use napi_derive::napi;
use recurra_binding::IntoJs;
use recurra_core::{Error, ErrorCode, guard};

use crate::library::{open_for_others, reason};

fn refused(message: String) -> Error {
    Error::new(ErrorCode::Libtorch, message)
}

/// The version that an opened libtorch reports, as `2.11.0`.
///
/// `aoti_torch_abi_version` packs major, minor and patch into the three highest bytes
/// (`torch/headeronly/version.h`).
fn version_of(library: &Library) -> Option<String> {
    // SAFETY: the symbol is part of libtorch's C interface, takes nothing and returns a `uint64_t`.
    let packed = unsafe {
        let function = library.get::<unsafe extern "C" fn() -> u64>(b"aoti_torch_abi_version\0").ok()?;
        function()
    };
    Some(format!("{}.{}.{}", packed >> 56, (packed >> 48) & 0xff, (packed >> 40) & 0xff))
}

/// Makes waiting libgomp threads sleep early, unless the user configured it. Returns the variable to remove afterwards.
///
/// libgomp reads the variable once, when it is loaded with libtorch. By default, its threads spin for milliseconds
/// after each parallel region, on cores that the kernels' own threads and other processes need: two parallel trainings
/// on two cores were twenty times slower. Without any spinning, a small network's step is 25 % slower, because its
/// parallel regions follow each other within microseconds. `OMP_PROC_BIND` and similar variables are not changed.
fn let_openmp_sleep() -> Option<&'static str> {
    const NAME: &str = "GOMP_SPINCOUNT";
    if std::env::var_os(NAME).is_some() || std::env::var_os("OMP_WAIT_POLICY").is_some() {
        return None;
    }
    // SAFETY: the same as Node's own assignment to `process.env`. A new variable exists for a moment, and glibc never
    // frees a value that another thread may be reading.
    unsafe { std::env::set_var(NAME, "1000") };
    Some(NAME)
}

/// Opens the library at `path` for the whole process and returns the version it reports, or `null` if it reports none.
///
/// The library is never closed: other libraries keep pointers into it.
#[napi(catch_unwind)]
pub fn open_libtorch(path: String) -> Result<Option<String>> {
    guard(|| {
        if !Path::new(&path).is_absolute() {
            return Err(refused(format!("{path} is not an absolute path")));
        }
        let set = let_openmp_sleep();
        // SAFETY: the user asked to run the initialisers of this library. Its handle is leaked below, so no symbol
        // outlives it.
        let opened = unsafe { open_for_others(Path::new(&path)) };
        if let Some(name) = set {
            // SAFETY: as in `let_openmp_sleep`. Child processes should not inherit the variable.
            unsafe { std::env::remove_var(name) };
        }
        let library = opened.map_err(|error| refused(reason(&error)))?;
        let version = version_of(&library);
        std::mem::forget(library);
        Ok(version)
    })
    .js()
}
