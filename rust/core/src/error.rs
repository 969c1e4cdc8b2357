//! The one error type of the SDK.

use crate::layout::ErrorKind;

/// What went wrong: a kind that says what to do next, and a sentence that says what and why.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub struct Error {
    kind: ErrorKind,
    text: String,
    missed: u64,
}

/// Result of every fallible call of the SDK.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with its sentence.
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Error { kind, text: text.into(), missed: 0 }
    }

    /// What kind of failure this is; its documentation says what to do next.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Of `Lapped`: records that were overwritten before they were read; 0 of any other kind.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    pub(crate) fn lapped(text: String, missed: u64) -> Self {
        Error { kind: ErrorKind::Lapped, text, missed }
    }

    /// The same error with what was being done put in front.
    pub fn context(self, doing: impl std::fmt::Display) -> Self {
        Error { text: format!("{doing}: {}", self.text), ..self }
    }

    pub(crate) fn system(what: impl std::fmt::Display, errno: rustix::io::Errno) -> Self {
        use rustix::io::Errno;
        let kind = match errno {
            Errno::ACCESS | Errno::PERM => ErrorKind::PermissionDenied,
            Errno::NOMEM | Errno::NOSPC => ErrorKind::OutOfMemory,
            _ => ErrorKind::System,
        };
        let reason = std::io::Error::from(errno);
        Error::new(kind, format!("{what}: {reason}"))
    }

    pub(crate) fn io(what: impl std::fmt::Display, error: std::io::Error) -> Self {
        match error.raw_os_error() {
            Some(code) => Error::system(what, rustix::io::Errno::from_raw_os_error(code)),
            None => Error::new(ErrorKind::System, format!("{what}: {error}")),
        }
    }
}

pub(crate) fn invalid(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, text)
}

pub(crate) fn protocol(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Protocol, text)
}
