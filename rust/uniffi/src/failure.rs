//! Errors of the SDK as one that crosses the border: the kind by its number.

use framelane::{Error, ErrorKind};
use zerocopy::FromBytes;

/// What went wrong.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum Failure {
    /// An error of the SDK.
    #[error("{text}")]
    Lane {
        /// Number of the `ErrorKind`.
        kind: u32,
        /// What and why.
        text: String,
        /// Of `Lapped`: records overwritten before they were read.
        missed: u64,
    },
}

/// Result of every call that can fail.
pub type Result<T> = std::result::Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (kind, missed) = (error.kind().number(), error.missed());
        Failure::Lane { kind, text: error.to_string(), missed }
    }
}

/// A mistake in the call.
#[cold]
pub fn invalid(text: impl Into<String>) -> Failure {
    Error::new(ErrorKind::InvalidArgument, text).into()
}

/// An error that is told, not thrown.
#[derive(Debug, uniffi::Record)]
pub struct Problem {
    /// Number of the `ErrorKind`.
    pub kind: u32,
    /// What and why.
    pub text: String,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem { kind: error.kind().number(), text: error.to_string() }
    }
}

/// One of an enum of the schema, by its number.
pub fn choice<T: Copy>(wanted: u32, what: &str, all: &[T], number: impl Fn(T) -> u32) -> Result<T> {
    let found = all.iter().find(|&&one| number(one) == wanted);
    found.copied().ok_or_else(|| invalid(format!("{wanted} is no {what}")))
}

/// A structure of the schema from its bytes.
pub fn structure<T: FromBytes>(bytes: &[u8], what: &str) -> Result<T> {
    T::read_from_bytes(bytes).map_err(|_| {
        let (found, wanted) = (bytes.len(), size_of::<T>());
        invalid(format!("{found} bytes are no {what}, which has {wanted}"))
    })
}
