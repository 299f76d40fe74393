//! Errors on their way into JavaScript.

use recurra_torch::{Error, Result};

/// The form in which an error crosses: its code and message in one string that the TypeScript side takes apart.
pub(crate) fn to_js(error: Error) -> napi::Error {
    napi::Error::from_reason(error.to_wire())
}

/// Turns results of the layer below into results of napi.
pub(crate) trait IntoJs<T> {
    /// The same value, or the error in its crossing form.
    fn js(self) -> napi::Result<T>;
}

impl<T> IntoJs<T> for Result<T> {
    fn js(self) -> napi::Result<T> {
        self.map_err(to_js)
    }
}
