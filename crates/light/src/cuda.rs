//! Queries the NVIDIA driver about itself and the GPUs, without libtorch.

use std::ffi::{CStr, c_char, c_int, c_uint};

use libloading::{Library, Symbol};
use napi_derive::napi;

use crate::library::reason;

/// A GPU as reported by the driver.
#[napi(object, object_from_js = false)]
pub struct CudaDevice {
    /// Such as `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// Major compute capability, such as 9.
    pub major: i32,
    /// Minor compute capability.
    pub minor: i32,
    /// Memory in bytes.
    pub memory: f64,
}

/// The NVIDIA driver.
#[napi(object, object_from_js = false)]
pub struct CudaDriver {
    /// Why the driver could not be used; absent if it could.
    pub missing: Option<String>,
    /// The latest CUDA version it supports, as 1000 times the major plus 10 times the minor version; 0 if unknown.
    pub version: i32,
    /// Result of its initialisation; 0 for success.
    pub status: i32,
    /// The GPUs that this process may use, in order of their numbers.
    pub devices: Vec<CudaDevice>,
}

const DRIVER: &str = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };
// `CUdevice_attribute` of cuda.h.
const CAPABILITY_MAJOR: c_int = 75;
const CAPABILITY_MINOR: c_int = 76;

type Take<T> = unsafe extern "C" fn(*mut T) -> c_int;
type OfDevice<T> = unsafe extern "C" fn(*mut T, c_int) -> c_int;

/// A function of the driver; the type parameter must be its type in cuda.h.
fn function<'library, T>(library: &'library Library, name: &str) -> Result<Symbol<'library, T>, String> {
    // SAFETY: each caller names the type declared in cuda.h, which is part of the driver's stable interface.
    unsafe { library.get(name.as_bytes()) }.map_err(|error| format!("{DRIVER} has no {name}: {}", reason(&error)))
}

fn device(library: &Library, index: c_int) -> Result<CudaDevice, String> {
    let get: Symbol<OfDevice<c_int>> = function(library, "cuDeviceGet")?;
    let name: Symbol<unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int> = function(library, "cuDeviceGetName")?;
    let attribute: Symbol<unsafe extern "C" fn(*mut c_int, c_int, c_int) -> c_int> =
        function(library, "cuDeviceGetAttribute")?;
    let memory: Symbol<OfDevice<usize>> = function(library, "cuDeviceTotalMem_v2")?;
    let (mut handle, mut major, mut minor, mut bytes) = (0, 0, 0, 0_usize);
    let mut text: [c_char; 256] = [0; 256];
    // SAFETY: all pointers are to locals of the types that the functions write. The name's length is passed, and its
    // last byte stays zero.
    let text = unsafe {
        get(&mut handle, index);
        attribute(&mut major, CAPABILITY_MAJOR, handle);
        attribute(&mut minor, CAPABILITY_MINOR, handle);
        memory(&mut bytes, handle);
        name(text.as_mut_ptr(), 255, handle);
        CStr::from_ptr(text.as_ptr())
    };
    Ok(CudaDevice { name: text.to_string_lossy().into_owned(), major, minor, memory: bytes as f64 })
}

/// Queries the driver; `Err` if it is not a driver.
fn ask(library: &Library, found: &mut CudaDriver) -> Result<(), String> {
    let version: Symbol<Take<c_int>> = function(library, "cuDriverGetVersion")?;
    let init: Symbol<unsafe extern "C" fn(c_uint) -> c_int> = function(library, "cuInit")?;
    let count: Symbol<Take<c_int>> = function(library, "cuDeviceGetCount")?;
    let mut devices = 0;
    // SAFETY: the pointers are to locals. The driver may be initialised several times and by several libraries.
    unsafe {
        version(&mut found.version);
        found.status = init(0);
        if found.status == 0 {
            found.status = count(&mut devices);
        }
    }
    for index in 0..if found.status == 0 { devices } else { 0 } {
        found.devices.push(device(library, index)?);
    }
    Ok(())
}

/// Queries the NVIDIA driver for its version and its GPUs, limited by `CUDA_VISIBLE_DEVICES`. Opens no other library.
#[napi(catch_unwind)]
pub fn cuda_driver() -> CudaDriver {
    let mut found = CudaDriver { missing: None, version: 0, status: 0, devices: Vec::new() };
    // SAFETY: the driver's initialisers only set up its own state.
    match unsafe { Library::new(DRIVER) } {
        Ok(library) => {
            found.missing = ask(&library, &mut found).err();
            // The driver is not designed to be closed.
            std::mem::forget(library);
        }
        Err(error) => found.missing = Some(reason(&error)),
    }
    found
}
