//! A growable buffer of float32 whose start lies on a cache line.

use std::alloc::{Layout, alloc};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};

use recurra_core::{Error, ErrorCode, abandon};

/// One cache line, which is also the widest vector register.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Abandons the work when memory runs out; Rust itself would end the process.
fn no_memory(lines: usize) -> ! {
    let bytes = lines.saturating_mul(size_of::<Line>());
    abandon(Error::new(ErrorCode::OutOfMemory, format!("the system gives no memory for {bytes} more bytes")))
}

/// Zeroed lines.
fn zeroed(n: usize) -> Vec<Line> {
    let Ok(layout) = Layout::array::<Line>(n) else { no_memory(n) };
    if layout.size() == 0 {
        return Vec::new();
    }
    // SAFETY: the layout is not empty; zero bytes are valid lines; a Vec may own what the global allocator gave for
    // exactly this layout.
    unsafe {
        let at = alloc(layout);
        if at.is_null() {
            no_memory(n);
        }
        // Before the first byte is written, which is when the system chooses the pages.
        large_pages(at, layout.size());
        std::ptr::write_bytes(at, 0, layout.size());
        Vec::from_raw_parts(at.cast(), n, n)
    }
}

/// Asks for pages of 2 MiB under a large buffer: rows of a table are read in no order, and with pages of 4 KiB each of them
/// waits for the page's address as well. Where there are none nothing changes.
#[cfg(target_os = "linux")]
unsafe fn large_pages(at: *mut u8, bytes: usize) {
    const PAGE: usize = 2 << 20;
    if bytes < 2 * PAGE {
        return;
    }
    let skip = at.addr().wrapping_neg() % PAGE;
    // SAFETY: by the caller's promise the bytes are there; the advice changes none of them.
    unsafe { libc::madvise(at.add(skip).cast(), (bytes - skip) / PAGE * PAGE, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
unsafe fn large_pages(_: *mut u8, _: usize) {}

/// Float32 values, 64-byte aligned. New values are zero.
#[derive(Clone, Default)]
pub struct Buf {
    lines: Vec<Line>,
    len: usize,
}

/// Sizes of the buffers that are kept for later ones, in lines, and how many of them with how many lines a thread keeps: a
/// step's buffers come and go with the caller's graph, and fresh ones are as slow as the computation that fills them.
const KEPT: std::ops::Range<usize> = 1 << 8..1 << 17;
const KEPT_IN_ALL: usize = 1 << 19;
const KEPT_BUFFERS: usize = 64;

/// What is kept, the oldest first.
#[derive(Default)]
struct Spare {
    buffers: VecDeque<Vec<Line>>,
    lines: usize,
}

impl Spare {
    /// The smallest buffer that has room for `wanted` lines and is not much too large.
    fn take(&mut self, wanted: usize) -> Option<Vec<Line>> {
        let fits = |lines: &Vec<Line>| (wanted..=wanted.saturating_mul(2)).contains(&lines.len());
        let fitting = self.buffers.iter().enumerate().filter(|(_, lines)| fits(lines));
        let best = fitting.min_by_key(|(_, lines)| lines.len())?.0;
        let lines = self.buffers.remove(best)?;
        self.lines -= lines.len();
        Some(lines)
    }

    /// Keeps a buffer; what has not been of use for longest goes where there are too many.
    fn keep(&mut self, lines: Vec<Line>) {
        self.lines += lines.len();
        self.buffers.push_back(lines);
        while self.lines > KEPT_IN_ALL || self.buffers.len() > KEPT_BUFFERS {
            let Some(oldest) = self.buffers.pop_front() else { break };
            self.lines -= oldest.len();
        }
    }
}

/// Lines to allocate for a given number of lines: sizes differ a little from batch to batch, and a buffer is to fit the next one.
fn roomy(lines: usize) -> usize {
    let unit = (lines / 8).next_power_of_two();
    lines.checked_next_multiple_of(unit).unwrap_or(lines)
}

thread_local! {
    static SPARE: RefCell<Spare> = RefCell::default();
}

impl Drop for Buf {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if KEPT.contains(&lines.len()) {
            // At the end of a thread there may be no list any more.
            let _ = SPARE.try_with(|spare| spare.borrow_mut().keep(lines));
        }
    }
}

impl Buf {
    /// A buffer of `len` values that are whatever an earlier buffer of this thread left there.
    pub(crate) fn scratch(len: usize) -> Self {
        Self::kept(len).unwrap_or_else(|| {
            let lines = len.div_ceil(16);
            Self { lines: zeroed(if KEPT.contains(&lines) { roomy(lines) } else { lines }), len }
        })
    }

    /// As [`Buf::scratch`], if there is an earlier buffer that fits.
    fn kept(len: usize) -> Option<Self> {
        let lines = len.div_ceil(16);
        if !KEPT.contains(&lines) {
            return None;
        }
        let lines = SPARE.try_with(|spare| spare.borrow_mut().take(lines)).ok()??;
        Some(Self { lines, len })
    }

    /// A buffer of `len` zeros.
    pub fn zeros(len: usize) -> Self {
        match Self::kept(len) {
            Some(mut buf) => {
                // Also past `len`: the buffer may grow.
                buf.lines.fill(Line([0.0; 16]));
                buf
            }
            None => Self { lines: zeroed(len.div_ceil(16)), len },
        }
    }

    /// Makes the buffer hold at least `len` values; what it held stays. What is new is zero, but for a scratch buffer.
    pub fn grow(&mut self, len: usize) {
        if len > self.len {
            let lines = len.div_ceil(16);
            let more = lines.saturating_sub(self.lines.len());
            if more > 0 {
                if self.lines.try_reserve(more).is_err() {
                    no_memory(more);
                }
                self.lines.resize(lines, Line([0.0; 16]));
            }
            self.len = len;
        }
    }

    /// Address of the first value, for kernels that share the buffer between threads.
    pub(crate) fn ptr(&mut self) -> *mut f32 {
        self.as_mut_ptr()
    }
}

impl Deref for Buf {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        // SAFETY: `lines` holds at least `len` consecutive, initialised f32 (Line is repr(C) without padding).
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Buf {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

/// `len` zeros for callers outside the kernels; abandons the work where there is no memory, as [`Buf`] does.
pub(crate) fn zeros(len: usize) -> Vec<f32> {
    let mut values = Vec::new();
    if values.try_reserve_exact(len).is_err() {
        no_memory(len.div_ceil(16));
    }
    values.resize(len, 0.0);
    values
}

/// Rounds up to a multiple of 16, the widest vector, so that no kernel has a remainder.
pub(crate) const fn pad(n: usize) -> usize {
    n.div_ceil(16) * 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use recurra_core::guard;

    #[test]
    fn buffers_are_used_again_and_zeros_are_zero_also_where_the_buffer_grows_into() {
        let fresh = |make: fn(usize) -> Buf, len: usize| {
            let mut buf = make(len);
            buf.fill(7.0);
            buf.ptr().addr()
        };
        let len = 10_000;
        let first = fresh(Buf::scratch, len);
        // The next is of about this size.
        assert_eq!(fresh(Buf::scratch, len + 200), first);
        let mut zeros = Buf::zeros(len - 3000);
        assert_eq!(zeros.ptr().addr(), first);
        zeros.grow(len);
        assert!(zeros.iter().all(|&value| value == 0.0));
        drop(zeros);
        // Too large by far for this.
        assert_ne!(Buf::scratch(len / 2 - 200).ptr().addr(), first);
        // Buffers of other sizes do not fill the list for good.
        for size in 0..3 * KEPT_BUFFERS {
            fresh(Buf::zeros, 100_000 + 2000 * size);
        }
        let again = fresh(Buf::scratch, len);
        assert_eq!(fresh(Buf::scratch, len), again);
    }

    #[test]
    fn memory_that_is_not_there_is_an_error_and_not_the_end_of_the_process() {
        for len in [1 << 50, usize::MAX / 8, usize::MAX] {
            let error = guard(|| Ok(Buf::zeros(len).len())).unwrap_err();
            assert_eq!(error.code(), ErrorCode::OutOfMemory);
            let mut buf = Buf::zeros(20);
            buf[19] = 1.0;
            let error = guard(|| {
                buf.grow(len);
                Ok(())
            });
            assert_eq!(error.unwrap_err().code(), ErrorCode::OutOfMemory);
            assert_eq!((buf.len(), buf[19]), (20, 1.0));
        }
    }
}
