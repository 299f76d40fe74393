//! What belongs to the whole process: version, threads, the names of devices and dtypes.

use crate::error::argument;
use crate::{Error, ErrorCode, Result, cuda, shim};
use std::cell::Cell;
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use tch::{Device, Kind, Tensor};

/// The number of threads that the user asked for; 0 for the default.
static THREADS: AtomicI32 = AtomicI32::new(0);

/// Whether the kernels compute what they can.
static FUSED: AtomicBool = AtomicBool::new(true);

thread_local! {
    static APPLIED: Cell<i32> = const { Cell::new(0) };
}

/// The version of the libtorch headers that this library was compiled with.
pub fn torch_version() -> String {
    // SAFETY: the shim returns a NUL-terminated string constant.
    unsafe { CStr::from_ptr(shim::recurra_torch_version()) }.to_string_lossy().into_owned()
}

/// The number of threads that one operation may use.
pub fn num_threads() -> i32 {
    match THREADS.load(Ordering::Relaxed) {
        0 => tch::get_num_threads(),
        threads => threads,
    }
}

/// Sets the number of threads that one operation may use, in every thread that calls [`apply_threads`].
pub fn set_num_threads(threads: i32) -> Result<()> {
    if threads < 1 {
        return Err(argument(format!("setNumThreads: the number of threads must be at least 1, but is {threads}")));
    }
    THREADS.store(threads, Ordering::Relaxed);
    apply_threads();
    Ok(())
}

/// Brings the current thread to the number of threads set. OpenMP keeps that number per thread, so each thread of a
/// pool must take it over for itself; called at the start of every piece of asynchronous work.
pub fn apply_threads() {
    let wanted = THREADS.load(Ordering::Relaxed);
    if wanted != 0 && APPLIED.get() != wanted {
        tch::set_num_threads(wanted);
        APPLIED.set(wanted);
    }
}

/// Turns the kernels on or off, so that tests can compare with libtorch's own operators; returns what it was.
pub fn set_fused_kernels(on: bool) -> bool {
    FUSED.swap(on, Ordering::Relaxed)
}

/// Whether the kernels are used where they can be.
pub(crate) fn fused_kernels() -> bool {
    FUSED.load(Ordering::Relaxed)
}

/// Reads `cpu`, `cuda` or `cuda:N`, and checks that the device exists.
pub fn parse_device(name: &str) -> Result<Device> {
    let index = match name {
        "cpu" => return Ok(Device::Cpu),
        "cuda" => 0,
        _ => name.strip_prefix("cuda:").and_then(|index| index.parse::<usize>().ok()).ok_or_else(|| {
            Error::new(ErrorCode::InvalidDevice, format!("device must be 'cpu', 'cuda' or 'cuda:N', but is '{name}'"))
        })?,
    };
    let count = cuda::device_count();
    if (index as i64) < count {
        return Ok(Device::Cuda(index));
    }
    let have = match count {
        0 => "there is no CUDA device".to_owned(),
        1 => "there is only 'cuda:0'".to_owned(),
        _ => format!("there are 'cuda:0' to 'cuda:{}'", count - 1),
    };
    Err(Error::new(ErrorCode::InvalidDevice, format!("device '{name}' does not exist: {have}")))
}

/// Reads a dtype's name.
pub fn parse_dtype(name: &str) -> Result<Kind> {
    Ok(match name {
        "float32" => Kind::Float,
        "float64" => Kind::Double,
        "bfloat16" => Kind::BFloat16,
        "int64" => Kind::Int64,
        "int32" => Kind::Int,
        "bool" => Kind::Bool,
        _ => {
            return Err(Error::new(
                ErrorCode::InvalidDtype,
                format!("dtype must be 'float32', 'float64', 'bfloat16', 'int64', 'int32' or 'bool', but is '{name}'"),
            ));
        }
    })
}

/// The bytes of a tensor's storage, and a number that is the same for all tensors which share it.
pub fn storage(tensor: &Tensor) -> Result<(usize, usize)> {
    let (mut identity, mut bytes) = (0, 0);
    // SAFETY: the handle is borrowed from a live tensor, and both pointers are to locals.
    shim::check(unsafe { shim::recurra_storage(shim::handle(tensor), &mut identity, &mut bytes) })?;
    Ok((identity, bytes))
}
