//! CUDA: when it is taken into use, its devices, and how exactly it computes.
//!
//! libtorch asks once for CUDA, in its first backward pass at the latest, and remembers the answer. So nothing here asks before
//! [`begin`], which is called once `libtorch_cuda.so` is open; a seed that was set before takes effect then.

use crate::error::{argument, thrown};
use crate::shim::{self, check, handle};
use crate::{Error, ErrorCode, Result};
use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use tch::Tensor;

static BEGUN: AtomicBool = AtomicBool::new(false);

/// What has to be known at [`begin`].
struct Before {
    seed: Option<i64>,
    precision_chosen: bool,
}

static BEFORE: Mutex<Before> = Mutex::new(Before { seed: None, precision_chosen: false });

/// Takes CUDA into use, after its library was opened; doing it again does nothing. From then on float32 is float32 in
/// cuDNN's recurrent layers too, which libtorch lets round to TF32 unless told otherwise.
pub fn begin() -> Result<()> {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    if BEGUN.load(Ordering::Acquire) {
        return Ok(());
    }
    let mut entered = 0;
    // SAFETY: `entered` is a local.
    check(unsafe { shim::recurra_cuda_begin(&mut entered) })?;
    if entered == 0 {
        return Err(Error::new(
            ErrorCode::Libtorch,
            "the CUDA library was opened after the first backward pass of this process, which is too late for libtorch",
        ));
    }
    let (count, why) = count_devices()?;
    if count == 0 {
        let why = why.map_or_else(|| "no device".to_owned(), |why| why.lines().next().unwrap_or_default().to_owned());
        return Err(Error::new(ErrorCode::InvalidDevice, format!("libtorch cannot use the GPU: {why}")));
    }
    if !before.precision_chosen {
        set_precision("highest")?;
    }
    BEGUN.store(true, Ordering::Release);
    before.seed.map_or(Ok(()), seed_all)
}

/// Whether [`begin`] was successful.
pub fn has_begun() -> bool {
    BEGUN.load(Ordering::Acquire)
}

/// The number of devices; 0 before [`begin`].
pub fn device_count() -> i64 {
    if !has_begun() {
        return 0;
    }
    // A driver that fails counts as no device.
    count_devices().map_or(0, |(count, _)| count)
}

/// The number of devices, and what libtorch says where there is none.
fn count_devices() -> Result<(i64, Option<String>)> {
    let (mut count, mut why) = (0, std::ptr::null_mut());
    // SAFETY: both are locals.
    check(unsafe { shim::recurra_cuda_device_count(&mut count, &mut why) })?;
    Ok((count, shim::text(why)))
}

/// Waits until everything that was started on a device is done.
pub fn synchronize(index: i64) -> Result<()> {
    let count = device_count();
    if !(0..count).contains(&index) {
        return Err(Error::new(
            ErrorCode::InvalidDevice,
            format!("there are {count} CUDA devices, but number {index} was named"),
        ));
    }
    // SAFETY: takes and returns plain values.
    check(unsafe { shim::recurra_cuda_synchronize(index) })
}

fn seed_all(seed: i64) -> Result<()> {
    // SAFETY: takes and returns plain values.
    check(unsafe { shim::recurra_manual_seed(seed as u64, device_count()) })
}

/// Seeds the global generators of the CPU and of every CUDA device, as `torch.manual_seed`; those of devices that are not in use
/// yet when they are.
pub fn manual_seed(seed: i64) -> Result<()> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner).seed = Some(seed);
    seed_all(seed)
}

fn set_precision(name: &str) -> Result<()> {
    let text = CString::new(name).map_err(|error| thrown(&error.to_string()))?;
    // SAFETY: a NUL-terminated string that outlives the call.
    check(unsafe { shim::recurra_set_float32_matmul_precision(text.as_ptr()) })
}

/// How float32 is computed, as `torch.set_float32_matmul_precision`: `highest` exactly, `high` may round to TF32, `medium` also to
/// bfloat16. cuDNN's recurrent layers go with it.
pub fn set_float32_matmul_precision(name: &str) -> Result<()> {
    if !["highest", "high", "medium"].contains(&name) {
        return Err(argument(format!("the precision must be 'highest', 'high' or 'medium', but is '{name}'")));
    }
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    set_precision(name)?;
    before.precision_chosen = true;
    Ok(())
}

/// What [`set_float32_matmul_precision`] set, and whether cuDNN's recurrent layers may round to TF32.
pub fn float32_matmul_precision() -> Result<(&'static str, bool)> {
    let (mut precision, mut recurrent) = (0, 0);
    // SAFETY: both are locals.
    check(unsafe { shim::recurra_float32_matmul_precision(&mut precision, &mut recurrent) })?;
    let name = ["highest", "high", "medium"].get(precision as usize).copied().unwrap_or("highest");
    Ok((name, recurrent != 0))
}

/// A copy on a device; the host does not wait for it.
pub(crate) fn copy_to(tensor: &Tensor, index: usize) -> Result<Tensor> {
    shim::owned(|out| {
        // SAFETY: a borrowed handle and a pointer to a local.
        unsafe { shim::recurra_copy_to_cuda(handle(tensor), index as i64, out) }
    })
}

/// Most rows, and most steps, that cuDNN's recurrent layers take. Beyond it cuDNN's errors do not name the cause.
const CUDNN_MOST: i64 = 65_535;

/// Refuses what cuDNN cannot compute. Sizes of one call: rows, steps, and the widest of input, state and output.
pub fn check_cudnn(rows: i64, steps: i64, width: i64) -> Result<()> {
    for (what, size) in [("rows in a batch", rows), ("steps", steps)] {
        if size > CUDNN_MOST {
            return Err(crate::error::range(format!(
                "rnn: cuDNN takes at most {CUDNN_MOST} {what}, but there are {size}; use smaller batches or shorter texts, or the CPU"
            )));
        }
    }
    if rows.saturating_mul(steps).saturating_mul(width) > i64::from(i32::MAX) {
        return Err(crate::error::range(format!(
            "rnn: cuDNN counts elements in 31 bits, but {rows} rows of {steps} steps with {width} values have more; use smaller \
             batches"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cudnn_cannot_compute_is_refused_before_the_call() {
        assert!(check_cudnn(65_535, 1, 64).is_ok());
        assert!(check_cudnn(1, 65_535, 64).is_ok());
        let rows = check_cudnn(65_536, 1, 1).unwrap_err();
        assert_eq!(rows.code(), ErrorCode::OutOfRange);
        assert!(rows.message().contains("65535 rows"), "{rows}");
        assert!(check_cudnn(1, 65_536, 1).unwrap_err().message().contains("65535 steps"));
        assert!(check_cudnn(60_000, 60_000, 1).unwrap_err().message().contains("31 bits"));
    }
}
