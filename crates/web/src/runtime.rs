//! Replaces what an operating system provides: handling of failed allocations and panics.

use std::alloc::{GlobalAlloc, Layout, System};

/// Alignment: 128-bit vectors.
const ALIGN: usize = 16;

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.max(1), ALIGN).ok()
}

/// Allocates memory for JavaScript; null on failure. Unlike failures of the crate's own allocations, this one ends
/// nothing.
pub fn allocate(bytes: usize) -> *mut u8 {
    // SAFETY: the layout has a size above 0.
    layout(bytes).map_or(std::ptr::null_mut(), |layout| unsafe { System.alloc(layout) })
}

/// # Safety
/// `room` must come from [`allocate`] with this number of bytes, and must not be used afterwards.
pub unsafe fn free(room: *mut u8, bytes: usize) {
    if let (false, Some(layout)) = (room.is_null(), layout(bytes)) {
        // SAFETY: guaranteed by the caller.
        unsafe { System.dealloc(room, layout) }
    }
}

/// Memory taken over from JavaScript.
pub struct Room {
    start: *mut u8,
    bytes: usize,
}

impl Room {
    /// # Safety
    /// `start` must come from [`allocate`] with this number of initialised bytes, and nothing else may use it
    /// afterwards.
    pub unsafe fn adopt(start: *mut u8, bytes: usize) -> Self {
        Self { start, bytes }
    }
}

impl std::ops::Deref for Room {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        if self.start.is_null() || self.bytes == 0 {
            return &[];
        }
        // SAFETY: guaranteed by the caller of `adopt`.
        unsafe { std::slice::from_raw_parts(self.start, self.bytes) }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: guaranteed by the caller of `adopt`; nothing else uses the memory.
        unsafe { free(self.start, self.bytes) }
    }
}

#[cfg(target_arch = "wasm32")]
mod browser {
    use std::alloc::{GlobalAlloc, Layout, System};

    #[link(wasm_import_module = "recurra")]
    unsafe extern "C" {
        /// Throws a JavaScript exception. For a failed allocation, `bytes` is its size and there is no text; otherwise,
        /// `text` is the message of a panic.
        fn fail(bytes: usize, text: *const u8, length: usize) -> !;
    }

    /// The system allocator, but a failed allocation throws an exception. A trap would not tell the reason.
    struct Throwing;

    impl Throwing {
        fn checked(room: *mut u8, bytes: usize) -> *mut u8 {
            if room.is_null() {
                // SAFETY: the function does not access memory and does not return.
                unsafe { fail(bytes, std::ptr::null(), 0) }
            }
            room
        }
    }

    // SAFETY: all memory comes from the system allocator, and null is never returned.
    unsafe impl GlobalAlloc for Throwing {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: guaranteed by the caller.
            Self::checked(unsafe { System.alloc(layout) }, layout.size())
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            // SAFETY: guaranteed by the caller.
            Self::checked(unsafe { System.alloc_zeroed(layout) }, layout.size())
        }

        unsafe fn realloc(&self, room: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
            // SAFETY: guaranteed by the caller.
            Self::checked(unsafe { System.realloc(room, layout, bytes) }, bytes)
        }

        unsafe fn dealloc(&self, room: *mut u8, layout: Layout) {
            // SAFETY: guaranteed by the caller.
            unsafe { System.dealloc(room, layout) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Throwing = Throwing;

    /// Makes panics throw an exception with their message.
    pub fn begin() {
        std::panic::set_hook(Box::new(|info| {
            let text = info.to_string();
            // SAFETY: the text is alive while JavaScript copies it; the function does not return.
            unsafe { fail(0, text.as_ptr(), text.len()) }
        }));
    }
}

/// Must be called before anything else.
pub fn begin() {
    #[cfg(target_arch = "wasm32")]
    browser::begin();
}
