//! A process group that one addon offers to another: a table of C functions and a safe wrapper around it.
//!
//! The torch addon fills the table from libtorch's c10d. The light addon, which does not link libtorch, calls it.

use std::ffi::c_void;

use crate::error::{Error, ErrorCode, Result};

/// Version of [`CollectiveTable`]. Both addons come from the same package; the version keeps mixed packages from
/// crashing.
pub const COLLECTIVE_VERSION: u32 = 1;

/// A process group as a table of C functions that one addon passes to another.
///
/// Every function may be called from any thread. All ranks must call the functions of a group in the same order. A
/// function returns 0 for success, 1 for an error, or 2 + r for an error that rank r is known to have caused;
/// [`error`](Self::error) gives the message.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct CollectiveTable {
    /// [`COLLECTIVE_VERSION`] of the addon that filled the table; checked before any other field is read.
    pub version: u32,
    /// Rank of this process, from 0.
    pub rank: u32,
    /// Number of processes.
    pub size: u32,
    /// The group: the first argument of every function.
    pub context: *mut c_void,
    /// Sums `len` float32 values of all ranks in place. `len` is the same on all ranks.
    pub all_reduce_f32: unsafe extern "C" fn(*mut c_void, *mut f32, usize) -> i32,
    /// Sums `len` float64 values of all ranks in place. `len` is the same on all ranks.
    pub all_reduce_f64: unsafe extern "C" fn(*mut c_void, *mut f64, usize) -> i32,
    /// Gathers `len` bytes of each rank into `out` (`size * len` bytes), in rank order. `len` is the same on all ranks.
    pub all_gather: unsafe extern "C" fn(*mut c_void, *const u8, usize, *mut u8) -> i32,
    /// Copies at most `len` bytes of the last error's message (UTF-8) and returns its full length.
    pub error: unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> usize,
    /// Adds an owner of the group.
    pub retain: unsafe extern "C" fn(*mut c_void),
    /// Removes an owner; the last one frees the group.
    pub release: unsafe extern "C" fn(*mut c_void),
}

/// An owner of the process group behind a [`CollectiveTable`].
///
/// A call blocks until every rank has made the same call, a rank is lost, or the group's timeout has passed.
pub struct Collective {
    table: CollectiveTable,
}

// SAFETY: `CollectiveTable` requires functions that may be called from any thread, and `retain` and `release` own the
// context.
unsafe impl Send for Collective {}
// SAFETY: as above; the functions lock where necessary.
unsafe impl Sync for Collective {}

impl Collective {
    /// Opens the table at the address that `ProcessGroup.table()` returned. The group lives as long as this value.
    ///
    /// # Errors
    /// `Distributed` if the address is 0 or the table has another version.
    ///
    /// # Safety
    /// `address` must be 0 or the address of a [`CollectiveTable`] whose group has an owner during this call.
    pub unsafe fn from_address(address: u64) -> Result<Self> {
        let table = address as usize as *const CollectiveTable;
        if table.is_null() {
            return Err(Error::new(ErrorCode::Distributed, "the process group has been closed"));
        }
        // SAFETY: the caller guarantees the address. Every version of the table has the version as its first field.
        let version = unsafe { (*table).version };
        if version != COLLECTIVE_VERSION {
            return Err(Error::new(
                ErrorCode::Distributed,
                format!(
                    "the torch addon offers version {version} of the process group's table, and this addon knows version \
                     {COLLECTIVE_VERSION}: install both addons from the same release"
                ),
            ));
        }
        // SAFETY: the caller guarantees the address.
        let table = unsafe { *table };
        // SAFETY: the group has an owner during this call, and this value becomes another one.
        unsafe { (table.retain)(table.context) };
        Ok(Self { table })
    }

    /// Rank of this process, from 0.
    pub fn rank(&self) -> usize {
        self.table.rank as usize
    }

    /// Number of processes in the group.
    pub fn size(&self) -> usize {
        self.table.size as usize
    }

    /// Sums the values of all ranks in place. The result is bit-identical on all ranks.
    ///
    /// # Errors
    /// `Distributed` if a rank is lost, does not respond within the timeout, or passes another number of values.
    pub fn all_reduce(&self, values: &mut [f32]) -> Result<()> {
        // SAFETY: the pointer and the length are those of the slice.
        self.check(unsafe { (self.table.all_reduce_f32)(self.table.context, values.as_mut_ptr(), values.len()) })
    }

    /// Like [`all_reduce`](Self::all_reduce), for float64.
    ///
    /// # Errors
    /// As [`all_reduce`](Self::all_reduce).
    pub fn all_reduce_f64(&self, values: &mut [f64]) -> Result<()> {
        // SAFETY: the pointer and the length are those of the slice.
        self.check(unsafe { (self.table.all_reduce_f64)(self.table.context, values.as_mut_ptr(), values.len()) })
    }

    /// Gathers the same number of bytes from each rank. Returns `size() * bytes.len()` bytes in rank order.
    ///
    /// # Errors
    /// As [`all_reduce`](Self::all_reduce), and `OutOfMemory`.
    pub fn all_gather_equal(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut all = zeros(bytes.len().checked_mul(self.size()).ok_or_else(|| no_memory(usize::MAX))?)?;
        // SAFETY: the lengths are those of the two buffers.
        self.check(unsafe {
            (self.table.all_gather)(self.table.context, bytes.as_ptr(), bytes.len(), all.as_mut_ptr())
        })?;
        Ok(all)
    }

    /// Gathers any number of bytes from each rank, one buffer per rank. Exchanges the lengths first, then the bytes,
    /// padded to the longest.
    ///
    /// # Errors
    /// As [`all_gather_equal`](Self::all_gather_equal).
    pub fn all_gather_parts(&self, bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
        let lengths = self.all_gather_equal(&(bytes.len() as u64).to_le_bytes())?;
        let lengths: Vec<usize> = lengths
            .chunks_exact(8)
            .map(|chunk| u64::from_le_bytes(chunk.try_into().unwrap_or_default()) as usize)
            .collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        if longest == 0 {
            return Ok(vec![Vec::new(); self.size()]);
        }
        let mut padded = zeros(longest)?;
        padded[..bytes.len()].copy_from_slice(bytes);
        let all = self.all_gather_equal(&padded)?;
        drop(padded);
        all.chunks_exact(longest)
            .zip(&lengths)
            .map(|(part, &length)| {
                let mut own = Vec::new();
                own.try_reserve_exact(length).map_err(|_| no_memory(length))?;
                own.extend_from_slice(&part[..length]);
                Ok(own)
            })
            .collect()
    }

    /// Like [`all_gather_parts`](Self::all_gather_parts), but concatenates the bytes of all ranks.
    ///
    /// # Errors
    /// As [`all_gather_equal`](Self::all_gather_equal).
    pub fn all_gather_bytes(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        Ok(self.all_gather_parts(bytes)?.concat())
    }

    /// Waits until every rank has called it.
    ///
    /// # Errors
    /// As [`all_reduce`](Self::all_reduce).
    pub fn barrier(&self) -> Result<()> {
        self.all_gather_equal(&[0]).map(drop)
    }

    fn check(&self, status: i32) -> Result<()> {
        if status == 0 {
            return Ok(());
        }
        let mut message = vec![0_u8; 4096];
        // SAFETY: the length is that of the buffer.
        let length = unsafe { (self.table.error)(self.table.context, message.as_mut_ptr(), message.len()) };
        message.truncate(length);
        let error = Error::new(ErrorCode::Distributed, String::from_utf8_lossy(&message).into_owned());
        Err(error.at_rank(u32::try_from(status - 2).ok()))
    }
}

impl Clone for Collective {
    fn clone(&self) -> Self {
        // SAFETY: this value is an owner, so the group is alive; the clone becomes another owner.
        unsafe { (self.table.retain)(self.table.context) };
        Self { table: self.table }
    }
}

impl Drop for Collective {
    fn drop(&mut self) {
        // SAFETY: this value is an owner and is not used afterwards.
        unsafe { (self.table.release)(self.table.context) };
    }
}

fn no_memory(bytes: usize) -> Error {
    Error::new(ErrorCode::OutOfMemory, format!("{bytes} bytes for what the ranks exchange cannot be allocated"))
}

fn zeros(bytes: usize) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(bytes).map_err(|_| no_memory(bytes))?;
    buffer.resize(bytes, 0);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// Number of owners of a fake group of two, whose other rank passes twice the values of this one.
    static OWNERS: AtomicI64 = AtomicI64::new(0);

    unsafe extern "C" fn sum<T: Copy + std::ops::Mul<Output = T> + From<u8>>(
        _: *mut c_void,
        values: *mut T,
        len: usize,
    ) -> i32 {
        // SAFETY: the wrapper gives a slice's pointer and length.
        let values = unsafe { std::slice::from_raw_parts_mut(values, len) };
        values.iter_mut().for_each(|value| *value = *value * T::from(3));
        if values.is_empty() { 3 } else { 0 }
    }

    unsafe extern "C" fn gather(_: *mut c_void, bytes: *const u8, len: usize, out: *mut u8) -> i32 {
        // SAFETY: as above; `out` has twice as many bytes.
        let (bytes, out) =
            unsafe { (std::slice::from_raw_parts(bytes, len), std::slice::from_raw_parts_mut(out, 2 * len)) };
        out[..len].copy_from_slice(bytes);
        out[len..].copy_from_slice(bytes);
        0
    }

    unsafe extern "C" fn message(_: *mut c_void, out: *mut u8, len: usize) -> usize {
        let text = b"rank 1 is lost";
        // SAFETY: `out` has `len` bytes.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), out, text.len().min(len)) };
        text.len()
    }

    unsafe extern "C" fn retain(_: *mut c_void) {
        OWNERS.fetch_add(1, Ordering::SeqCst);
    }

    unsafe extern "C" fn release(_: *mut c_void) {
        OWNERS.fetch_sub(1, Ordering::SeqCst);
    }

    #[test]
    fn a_table_is_called_owned_and_refused() {
        let mut table = CollectiveTable {
            version: COLLECTIVE_VERSION,
            rank: 0,
            size: 2,
            context: std::ptr::null_mut(),
            all_reduce_f32: sum::<f32>,
            all_reduce_f64: sum::<f64>,
            all_gather: gather,
            error: message,
            retain,
            release,
        };
        // SAFETY: the table lives until the end of this test.
        let open = |table: &CollectiveTable| unsafe { Collective::from_address(table as *const _ as usize as u64) };
        let group = open(&table).unwrap();
        let other = group.clone();
        assert_eq!(OWNERS.load(Ordering::SeqCst), 2);
        let mut values = [1.0_f32, 2.5];
        group.all_reduce(&mut values).unwrap();
        assert_eq!(values, [3.0, 7.5]);
        assert_eq!(other.all_gather_parts(b"abc").unwrap(), [b"abc".to_vec(), b"abc".to_vec()]);
        assert_eq!(other.all_gather_bytes(b"").unwrap(), b"");
        let error = group.all_reduce(&mut []).unwrap_err();
        assert_eq!((error.code(), error.message(), error.rank()), (ErrorCode::Distributed, "rank 1 is lost", Some(1)));
        drop((group, other));
        assert_eq!(OWNERS.load(Ordering::SeqCst), 0);
        table.version = 7;
        assert!(open(&table).is_err_and(|error| error.message().contains("version 7")));
        // SAFETY: 0 is allowed.
        assert!(unsafe { Collective::from_address(0) }.is_err());
    }
}
