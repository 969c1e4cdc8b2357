//! What can be wrong with a byte stream.

use framelane::{Error, ErrorKind};

/// Why bytes were given up. Reading goes on behind them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// Nothing that looks like video.
    #[error("{bytes} bytes without the beginning of a picture")]
    NoVideo {
        /// Bytes passed over since the last thing that made sense.
        bytes: u64,
    },
    /// More bytes for one picture than are kept.
    #[error("a picture of more than {limit} bytes")]
    TooLarge {
        /// The most that are kept.
        limit: usize,
    },
    /// A NAL unit that cannot be one.
    #[error("a NAL unit cannot begin with {header:02x?}")]
    BadUnit {
        /// Its first two bytes, as far as there are two.
        header: Vec<u8>,
    },
    /// A parameter set that cannot be used.
    #[error("a {set} that cannot be used: {why}")]
    BadParameters {
        /// VPS, SPS or PPS.
        set: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A key picture whose parameter sets never came; told once until they come.
    #[error("pictures without their parameter sets")]
    NoParameters,
    /// A JPEG picture with something impossible in it.
    #[error("a JPEG picture with {what}")]
    BadJpeg {
        /// What is impossible.
        what: String,
    },
}

impl From<SplitError> for Error {
    fn from(error: SplitError) -> Self {
        Error::new(ErrorKind::Protocol, error.to_string())
    }
}
