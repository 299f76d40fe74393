//! The functions of `shim/c10d.cpp`, as safe handles: stores and process groups.

use super::functions::{Handle, Message, recurra_free};
use super::message::{handles, text};
use std::ffi::{CString, c_char, c_int, c_void};
use std::net::TcpListener;
use std::ptr;
use std::time::Duration;
use tch::Tensor;

type Raw = *mut c_void;
type Done = unsafe extern "C" fn(*mut c_void, Message);

unsafe extern "C" {
    fn recurra_c10d_available() -> c_int;
    fn recurra_c10d_tcp_store(host: *const c_char, port: u16, fd: c_int, timeout: i64, out: *mut Raw) -> Message;
    fn recurra_c10d_file_store(path: *const c_char, timeout: i64, out: *mut Raw) -> Message;
    fn recurra_c10d_prefix_store(store: Raw, prefix: *const c_char, out: *mut Raw) -> Message;
    fn recurra_c10d_store_free(store: Raw);
    fn recurra_c10d_store_set(store: Raw, key: *const c_char, value: *const u8, length: usize) -> Message;
    fn recurra_c10d_store_get(store: Raw, key: *const c_char, value: *mut *mut u8, length: *mut usize) -> Message;
    fn recurra_c10d_store_check(store: Raw, key: *const c_char, there: *mut c_int) -> Message;
    fn recurra_c10d_store_add(store: Raw, key: *const c_char, amount: i64, sum: *mut i64) -> Message;
    fn recurra_c10d_group_new(
        store: Raw,
        rank: c_int,
        size: c_int,
        timeout: i64,
        places: *const *const c_char,
        count: usize,
        interfaces: c_int,
        out: *mut Raw,
    ) -> Message;
    fn recurra_c10d_group_free(group: Raw);
    fn recurra_c10d_group_close(group: Raw) -> Message;
    fn recurra_c10d_group_probe(group: Raw, rank: c_int, broken: *mut c_int) -> Message;
    fn recurra_c10d_start(
        group: Raw,
        collective: c_int,
        inputs: *const Handle,
        input_count: usize,
        outputs: *const Handle,
        output_count: usize,
        reduce: c_int,
        root: c_int,
        tag: u32,
        done: Done,
        context: *mut c_void,
    ) -> Message;
}

/// What c10d said of a failure; the caller knows what it was about.
pub(crate) type Said<T> = std::result::Result<T, String>;

fn said(message: Message) -> Said<()> {
    text(message).map_or(Ok(()), |text| {
        // The first line, without the C++ stack and without the place in gloo's source.
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("unknown exception");
        let line = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map_or(line, |(_, rest)| rest);
        Err(line.to_owned())
    })
}

fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Whether this build has c10d at all.
pub(crate) fn available() -> bool {
    // SAFETY: reads a constant.
    unsafe { recurra_c10d_available() != 0 }
}

/// A store of c10d: keys and values that all processes of a group see.
pub(crate) struct Store(Raw);

// SAFETY: c10d's stores lock; every method of theirs may be called from any thread.
unsafe impl Send for Store {}
// SAFETY: as above.
unsafe impl Sync for Store {}

impl Store {
    fn made(call: impl FnOnce(*mut Raw) -> Message) -> Said<Self> {
        let mut out = ptr::null_mut();
        said(call(&mut out))?;
        Ok(Self(out))
    }

    /// A client of the TCP store at an address; with a listening socket also its server.
    pub(crate) fn tcp(host: &str, port: u16, listener: Option<TcpListener>, timeout: Duration) -> Said<Self> {
        let fd = listener.map_or(-1, descriptor);
        let host = c_text(host);
        // SAFETY: a NUL-terminated text; the socket is handed over.
        Self::made(|out| unsafe { recurra_c10d_tcp_store(host.as_ptr(), port, fd, millis(timeout), out) })
    }

    /// A store in a file.
    pub(crate) fn file(path: &str, timeout: Duration) -> Said<Self> {
        let path = c_text(path);
        // SAFETY: a NUL-terminated text.
        Self::made(|out| unsafe { recurra_c10d_file_store(path.as_ptr(), millis(timeout), out) })
    }

    /// The part of this store whose keys begin with a prefix.
    pub(crate) fn part(&self, prefix: &str) -> Said<Self> {
        let prefix = c_text(prefix);
        // SAFETY: a live store and a NUL-terminated text.
        Self::made(|out| unsafe { recurra_c10d_prefix_store(self.0, prefix.as_ptr(), out) })
    }

    /// Writes a value.
    pub(crate) fn set(&self, key: &str, value: &str) -> Said<()> {
        let key = c_text(key);
        // SAFETY: a live store, a NUL-terminated text and a slice with its length.
        said(unsafe { recurra_c10d_store_set(self.0, key.as_ptr(), value.as_ptr(), value.len()) })
    }

    /// The value of a key, or nothing where it is not there.
    pub(crate) fn get(&self, key: &str) -> Said<Option<String>> {
        let key = c_text(key);
        let mut there = 0;
        // SAFETY: a live store, a NUL-terminated text and a pointer to a local.
        said(unsafe { recurra_c10d_store_check(self.0, key.as_ptr(), &mut there) })?;
        if there == 0 {
            return Ok(None);
        }
        let (mut value, mut length) = (ptr::null_mut(), 0);
        // SAFETY: as above.
        said(unsafe { recurra_c10d_store_get(self.0, key.as_ptr(), &mut value, &mut length) })?;
        // SAFETY: without an error the shim has written `length` bytes from malloc, which are freed only here.
        let bytes = unsafe {
            let bytes = std::slice::from_raw_parts(value, length).to_vec();
            recurra_free(value.cast());
            bytes
        };
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Adds to a number, which begins at 0, and returns the sum.
    pub(crate) fn add(&self, key: &str, amount: i64) -> Said<i64> {
        let key = c_text(key);
        let mut sum = 0;
        // SAFETY: a live store, a NUL-terminated text and a pointer to a local.
        said(unsafe { recurra_c10d_store_add(self.0, key.as_ptr(), amount, &mut sum) })?;
        Ok(sum)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: made by the shim and freed only here.
        unsafe { recurra_c10d_store_free(self.0) };
    }
}

#[cfg(unix)]
fn descriptor(listener: TcpListener) -> c_int {
    std::os::fd::IntoRawFd::into_raw_fd(listener)
}

#[cfg(not(unix))]
fn descriptor(_: TcpListener) -> c_int {
    -1
}

/// Where a group's connections are bound.
pub(crate) enum Places {
    /// To addresses.
    Addresses(Vec<String>),
    /// To whatever addresses interfaces have.
    Interfaces(Vec<String>),
}

/// A collective, with c10d's number where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collective {
    AllReduce,
    Broadcast,
    AllGather,
    Barrier,
}

/// How a collective ends.
pub(crate) type Ended = Box<dyn FnOnce(Said<()>) + Send>;

/// A process group of Gloo.
pub(crate) struct Gloo(Raw);

// SAFETY: collectives are started under a lock of `distributed::Group`; the other functions may be called from any thread.
unsafe impl Send for Gloo {}
// SAFETY: as above.
unsafe impl Sync for Gloo {}

unsafe extern "C" fn ended(context: *mut c_void, message: Message) {
    // SAFETY: the box that `start` gave away, and c10d calls this once.
    let end = unsafe { Box::from_raw(context.cast::<Ended>()) };
    let result = said(message);
    // A panic must not reach c10d's thread.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| end(result)));
}

impl Gloo {
    /// Connects all ranks with each other; blocks until all have come, or the timeout.
    pub(crate) fn connect(store: &Store, rank: u32, size: u32, timeout: Duration, places: &Places) -> Said<Self> {
        let (names, interfaces) = match places {
            Places::Addresses(names) => (names, 0),
            Places::Interfaces(names) => (names, 1),
        };
        let names: Vec<CString> = names.iter().map(|name| c_text(name)).collect();
        let pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        let (rank, size, mut out) = (rank as c_int, size as c_int, ptr::null_mut());
        // SAFETY: a live store, and NUL-terminated texts that live until the end of the call.
        said(unsafe {
            recurra_c10d_group_new(
                store.0,
                rank,
                size,
                millis(timeout),
                pointers.as_ptr(),
                pointers.len(),
                interfaces,
                &mut out,
            )
        })?;
        Ok(Self(out))
    }

    /// Starts a collective of contiguous tensors on the CPU. `end` is called once from a thread of c10d, also before this returns; not at all
    /// where this returns an error.
    pub(crate) fn start(
        &self,
        collective: Collective,
        (inputs, outputs): (&[Tensor], &[Tensor]),
        (reduce, root): (i32, u32),
        tag: u32,
        end: Ended,
    ) -> Said<()> {
        let (inputs, outputs) = (handles(inputs), handles(outputs));
        let context = Box::into_raw(Box::new(end)).cast::<c_void>();
        // SAFETY: a live group, borrowed handles with their number, and a box that `ended` takes.
        let result = said(unsafe {
            recurra_c10d_start(
                self.0,
                collective as c_int,
                inputs.as_ptr(),
                inputs.len(),
                outputs.as_ptr(),
                outputs.len(),
                reduce,
                root as c_int,
                tag,
                ended,
                context,
            )
        });
        if result.is_err() {
            // SAFETY: with an error nothing was started, so nothing else takes the box.
            drop(unsafe { Box::from_raw(context.cast::<Ended>()) });
        }
        result
    }

    /// Whether the connection to a rank is broken. Only after an error: the group is not usable afterwards.
    pub(crate) fn is_broken(&self, rank: u32) -> bool {
        let mut broken = 0;
        // SAFETY: a live group and a pointer to a local.
        said(unsafe { recurra_c10d_group_probe(self.0, rank as c_int, &mut broken) }).is_ok() && broken != 0
    }

    /// Breaks all connections: what is under way ends with an error, here and in the other ranks.
    pub(crate) fn close(&self) {
        // SAFETY: a live group.
        let _ = said(unsafe { recurra_c10d_group_close(self.0) });
    }

    /// Frees the group; not to be called by a thread of c10d, for all of which it waits.
    pub(crate) fn free(self) {
        // SAFETY: made by the shim and freed only here: a group that is merely dropped stays allocated.
        unsafe { recurra_c10d_group_free(self.0) };
    }
}
