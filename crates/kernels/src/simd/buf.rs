//! A growable buffer of float32 whose start lies on a cache line.

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::ops::{Deref, DerefMut};

/// One cache line, which is also the widest vector register.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Zeroed lines, straight from the system's zero pages where they are many.
fn zeroed(n: usize) -> Vec<Line> {
    let Ok(layout) = Layout::array::<Line>(n) else { return vec![Line([0.0; 16]); n] };
    if layout.size() == 0 {
        return Vec::new();
    }
    // SAFETY: the layout is not empty; zero bytes are valid lines; a Vec may own what the global allocator gave for
    // exactly this layout.
    unsafe {
        let at = alloc_zeroed(layout);
        if at.is_null() {
            handle_alloc_error(layout);
        }
        Vec::from_raw_parts(at.cast(), n, n)
    }
}

/// Float32 values, 64-byte aligned. New values are zero.
#[derive(Clone, Default)]
pub struct Buf {
    lines: Vec<Line>,
    len: usize,
}

impl Buf {
    /// A buffer of `len` zeros.
    pub fn zeros(len: usize) -> Self {
        Self { lines: zeroed(len.div_ceil(16)), len }
    }

    /// Makes the buffer hold at least `len` values; what it held stays.
    pub fn grow(&mut self, len: usize) {
        if len > self.len {
            self.lines.resize(len.div_ceil(16), Line([0.0; 16]));
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

/// Rounds up to a multiple of 16, the widest vector, so that no kernel has a remainder.
pub(crate) const fn pad(n: usize) -> usize {
    n.div_ceil(16) * 16
}
