//! Results, and errors that name their file.

use framelane::{Error, ErrorKind};
use std::fmt::Display;
use std::io;
use std::path::Path;

/// The SDK's result, unless an error of another type is named.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

pub(crate) fn invalid(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, text)
}

/// A file that cannot be used as it is, and why.
pub(crate) fn unusable(path: &Path, why: impl Display) -> Error {
    invalid(format!("{}: {why}", path.display()))
}

/// A file that could not be opened, read or written.
pub(crate) fn io_failed(path: &Path, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::InvalidArgument,
        io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
        _ => ErrorKind::System,
    };
    Error::new(kind, format!("{}: {error}", path.display()))
}
