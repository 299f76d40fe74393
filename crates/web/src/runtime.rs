//! What a program under an operating system has from elsewhere: an end for memory that cannot be had and for panics.

use std::alloc::{GlobalAlloc, Layout, System};

/// Vectors of 128 bits.
const ALIGN: usize = 16;

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.max(1), ALIGN).ok()
}

/// Room for JavaScript, or null where there is none: unlike the crate's own memory, its absence ends nothing.
pub fn allocate(bytes: usize) -> *mut u8 {
    // SAFETY: the layout has a size above 0.
    layout(bytes).map_or(std::ptr::null_mut(), |layout| unsafe { System.alloc(layout) })
}

/// # Safety
/// `room` is what [`allocate`] gave for this number of bytes, and is not used any more.
pub unsafe fn free(room: *mut u8, bytes: usize) {
    if let (false, Some(layout)) = (room.is_null(), layout(bytes)) {
        // SAFETY: by the caller's promise.
        unsafe { System.dealloc(room, layout) }
    }
}

/// Room that was taken over from JavaScript.
pub struct Room {
    start: *mut u8,
    bytes: usize,
}

impl Room {
    /// # Safety
    /// `start` is what [`allocate`] gave for this number of bytes, which have been written, and nothing else uses it
    /// any more.
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
        // SAFETY: by the promise of `adopt`.
        unsafe { std::slice::from_raw_parts(self.start, self.bytes) }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: by the promise of `adopt`; nothing else uses it.
        unsafe { free(self.start, self.bytes) }
    }
}

#[cfg(target_arch = "wasm32")]
mod browser {
    use std::alloc::{GlobalAlloc, Layout, System};

    #[link(wasm_import_module = "recurra")]
    unsafe extern "C" {
        /// Throws a JavaScript exception: for memory with the bytes that were asked for and no text, else with what a panic said.
        fn fail(bytes: usize, text: *const u8, length: usize) -> !;
    }

    /// The usual allocator, but that memory which cannot be had ends the call by an exception. A trap would say nothing of why.
    struct Throwing;

    impl Throwing {
        fn checked(room: *mut u8, bytes: usize) -> *mut u8 {
            if room.is_null() {
                // SAFETY: the function takes no memory, and does not return.
                unsafe { fail(bytes, std::ptr::null(), 0) }
            }
            room
        }
    }

    // SAFETY: everything is the system allocator's; no null is passed on.
    unsafe impl GlobalAlloc for Throwing {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: by the caller's promise.
            Self::checked(unsafe { System.alloc(layout) }, layout.size())
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            // SAFETY: by the caller's promise.
            Self::checked(unsafe { System.alloc_zeroed(layout) }, layout.size())
        }

        unsafe fn realloc(&self, room: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
            // SAFETY: by the caller's promise.
            Self::checked(unsafe { System.realloc(room, layout, bytes) }, bytes)
        }

        unsafe fn dealloc(&self, room: *mut u8, layout: Layout) {
            // SAFETY: by the caller's promise.
            unsafe { System.dealloc(room, layout) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Throwing = Throwing;

    /// Lets a panic end by an exception with its message.
    pub fn begin() {
        std::panic::set_hook(Box::new(|info| {
            let text = info.to_string();
            // SAFETY: the text is alive while JavaScript copies it; the function does not return.
            unsafe { fail(0, text.as_ptr(), text.len()) }
        }));
    }
}

/// To be called before anything else.
pub fn begin() {
    #[cfg(target_arch = "wasm32")]
    browser::begin();
}
