//! Opens libraries that are not part of this package.

use std::path::Path;

use libloading::Library;

/// The system's message about a library that could not be opened. libloading's own message only says that opening
/// failed; its source has the reason.
pub(crate) fn reason(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Opens the library at an absolute path so that libraries opened later find it already loaded.
///
/// # Safety
/// Runs the initialisers of the library.
pub(crate) unsafe fn open_for_others(path: &Path) -> Result<Library, libloading::Error> {
    #[cfg(unix)]
    {
        use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
        // SAFETY: the caller is responsible for the initialisers.
        unsafe { Library::open(Some(path), RTLD_NOW | RTLD_GLOBAL) }.map(Into::into)
    }
    #[cfg(windows)]
    {
        use libloading::os::windows::{LOAD_LIBRARY_SEARCH_DEFAULT_DIRS, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR, Library};
        // Dependencies are next to the library, not next to node.exe.
        let places = LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS;
        // SAFETY: the caller is responsible for the initialisers.
        unsafe { Library::load_with_flags(path, places) }.map(Into::into)
    }
}
