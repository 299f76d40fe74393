//! The error type of the Rust crates: a stable code and a readable message.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Stable codes, which JavaScript sees as `error.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// An argument has the wrong kind or value.
    InvalidArgument,
    /// A tensor's shape does not fit the operation.
    InvalidShape,
    /// A tensor's element type does not fit the operation.
    InvalidDtype,
    /// Tensors are on different devices, or the device does not exist.
    InvalidDevice,
    /// An index, token id or label is outside its range.
    OutOfRange,
    /// A handle was used after `dispose` or `close`.
    Disposed,
    /// A file does not exist, or cannot be read or written.
    Io,
    /// A file does not have the format that its reader expects.
    InvalidFile,
    /// libtorch was not found or is not compatible.
    Libtorch,
    /// libtorch raised an exception.
    Torch,
    /// A state's names, shapes or dtypes do not fit the model.
    StateMismatch,
    /// The loss became NaN or infinite.
    NonFiniteLoss,
    /// The caller aborted the work.
    Aborted,
    /// Another process of the group is lost, does not respond or differs, or the group cannot be formed.
    Distributed,
    /// The system refused memory.
    OutOfMemory,
    /// A bug in this library: a panic that was caught.
    Internal,
}

impl ErrorCode {
    /// The name of the code in JavaScript.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::InvalidShape => "INVALID_SHAPE",
            Self::InvalidDtype => "INVALID_DTYPE",
            Self::InvalidDevice => "INVALID_DEVICE",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Disposed => "DISPOSED",
            Self::Io => "IO",
            Self::InvalidFile => "INVALID_FILE",
            Self::Libtorch => "LIBTORCH",
            Self::Torch => "TORCH",
            Self::StateMismatch => "STATE_MISMATCH",
            Self::NonFiniteLoss => "NON_FINITE_LOSS",
            Self::Aborted => "ABORTED",
            Self::Distributed => "DISTRIBUTED",
            Self::OutOfMemory => "OUT_OF_MEMORY",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error with a stable [`ErrorCode`], and, if known, the option it is about and its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: ErrorCode,
    message: String,
    option: Option<&'static str>,
    cause: Option<String>,
    rank: Option<u32>,
}

/// A result with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Creates an error from a code and a message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), option: None, cause: None, rank: None }
    }

    /// Sets the option that must be changed, under its JavaScript name.
    #[must_use]
    pub fn about(mut self, option: &'static str) -> Self {
        self.option = Some(option);
        self
    }

    /// Sets the message of the cause, such as the system's reason why a file cannot be written.
    #[must_use]
    pub fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Sets the rank that caused an [`ErrorCode::Distributed`] error.
    #[must_use]
    pub fn at_rank(mut self, rank: Option<u32>) -> Self {
        self.rank = rank;
        self
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The message without the code.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The option that the error is about.
    pub fn option(&self) -> Option<&'static str> {
        self.option
    }

    /// The message of the cause.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The rank that caused the error, if known.
    pub fn rank(&self) -> Option<u32> {
        self.rank
    }

    /// The form in which an error crosses into JavaScript: `RECURRA:<code>:<message>`, or, with an option, a cause or a
    /// rank, `RECURRA:<code>\x1f<option>\x1f<cause>\x1f:<message>`. An error with a rank has it in place of the option.
    pub fn to_wire(&self) -> String {
        let code = self.code.as_str();
        if self.option.is_none() && self.cause.is_none() && self.rank.is_none() {
            return format!("RECURRA:{code}:{}", self.message);
        }
        let rank = self.rank.map(|rank| rank.to_string());
        let option = rank.as_deref().or(self.option).unwrap_or_default();
        let cause = self.cause.as_deref().unwrap_or_default();
        // Options never contain the separator; in causes it is replaced.
        format!("RECURRA:{code}\x1f{option}\x1f{}\x1f:{}", cause.replace('\x1f', " "), self.message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for Error {}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown panic")
}

/// Runs `work` and turns a panic into an [`ErrorCode::Internal`] error, so that no panic crosses into Node. An error
/// passed to [`abandon`] becomes the result.
pub fn guard<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        Err(match payload.downcast::<Error>() {
            Ok(error) => *error,
            Err(payload) => {
                Error::new(ErrorCode::Internal, format!("internal fault: {}", panic_message(payload.as_ref())))
            }
        })
    })
}

/// Aborts the work that [`guard`] runs with an error. It is for code that cannot return a [`Result`], such as growing a
/// buffer. It unwinds like a panic, but prints nothing.
pub fn abandon(error: Error) -> ! {
    resume_unwind(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_and_a_cause_cross_with_the_message() {
        let plain = Error::new(ErrorCode::Io, "a: b");
        assert_eq!(plain.to_wire(), "RECURRA:IO:a: b");
        let option = Error::new(ErrorCode::InvalidArgument, "too many").about("threads");
        assert_eq!(option.to_wire(), "RECURRA:INVALID_ARGUMENT\x1fthreads\x1f\x1f:too many");
        let caused = plain.caused_by("denied\x1f (os error 13)");
        assert_eq!(caused.to_wire(), "RECURRA:IO\x1f\x1fdenied  (os error 13)\x1f:a: b");
        let lost = Error::new(ErrorCode::Distributed, "rank 3 is lost").at_rank(Some(3));
        assert_eq!(
            (lost.rank(), lost.to_wire().as_str()),
            (Some(3), "RECURRA:DISTRIBUTED\x1f3\x1f\x1f:rank 3 is lost")
        );
        assert_eq!((caused.option(), caused.cause()), (None, Some("denied\x1f (os error 13)")));
    }

    #[test]
    fn guard_turns_a_panic_into_an_internal_error() {
        let result: Result<()> = guard(|| panic!("row {} is missing", 3));
        assert_eq!(result.unwrap_err().to_wire(), "RECURRA:INTERNAL:internal fault: row 3 is missing");
    }

    #[test]
    fn guard_returns_what_the_work_was_abandoned_for() {
        let error = Error::new(ErrorCode::OutOfMemory, "no memory");
        let result: Result<()> = guard(|| abandon(error.clone()));
        assert_eq!(result.unwrap_err(), error);
    }
}
