//! What the vendor's libraries fail with, in our words and theirs.

use framelane::ErrorKind;
use framelane_hobot_sys::{LoadError, hb_mem, hb_mem_name, hbn_name, hbn_number, media_name};

/// Why something could not be done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A library or a function in it is not there.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A function of libhbmem failed.
    #[error("{function}: {} ({code})", hb_mem_name(*code).unwrap_or("number"))]
    Memory {
        /// Its name.
        function: &'static str,
        /// What it returned.
        code: i32,
    },
    /// A function of libvpf or libcam failed.
    #[error("{function}: {} ({code})", hbn_name(*code).unwrap_or("number"))]
    Vio {
        /// Its name.
        function: &'static str,
        /// What it returned.
        code: i32,
    },
    /// A function of libmultimedia failed.
    #[error("{function}: {} ({code})", media_name(*code).unwrap_or("number"))]
    Codec {
        /// Its name.
        function: &'static str,
        /// What it returned.
        code: i32,
    },
    /// Something does not fit together on our side.
    #[error(transparent)]
    Ours(#[from] framelane::Error),
}

/// Result of the calls of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Load(_) => ErrorKind::Unsupported,
            Error::Memory { code, .. } => memory_kind(*code),
            Error::Vio { code, .. } => vio_kind(*code),
            Error::Codec { code, .. } => codec_kind(*code),
            Error::Ours(error) => error.kind(),
        }
    }

    /// What the vendor's function returned, if it was one that failed.
    pub fn code(&self) -> Option<i32> {
        match self {
            Error::Memory { code, .. } | Error::Vio { code, .. } | Error::Codec { code, .. } => {
                Some(*code)
            }
            Error::Load(_) | Error::Ours(_) => None,
        }
    }

    /// Whether the same call may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Memory { code, .. } => *code == hb_mem::TIMEOUT,
            Error::Vio { code, .. } => is_no_frame_now(*code),
            Error::Codec { code, .. } => codec_kind(*code) == ErrorKind::TimedOut,
            Error::Load(_) | Error::Ours(_) => false,
        }
    }
}

impl Error {
    /// Whether the codec will not read the memory it was given: the picture can be copied for it.
    pub fn refuses_memory(&self) -> bool {
        use framelane_hobot_sys::media::{INVALID_BUFFER, INVALID_PARAMS, UNSUPPORTED_FEATURE};
        let refusals = [INVALID_BUFFER, INVALID_PARAMS, UNSUPPORTED_FEATURE];
        matches!(self, Error::Codec { code, .. } if refusals.contains(code))
    }
}

impl From<Error> for framelane::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Ours(error) => error,
            other => framelane::Error::new(other.kind(), other.to_string()),
        }
    }
}

/// The answer of a function of libhbmem as a result.
pub(crate) fn memory(function: &'static str, code: i32) -> Result<()> {
    if code == 0 { Ok(()) } else { Err(Error::Memory { function, code }) }
}

/// Nothing came in time, a frame was dropped, the flow was stopped: libvpf mostly says -43 for all
/// of them.
const NO_FRAME_NOW: [i32; 6] = [21, 38, 39, 40, 41, 43];

fn is_no_frame_now(code: i32) -> bool {
    hbn_number(code).is_some_and(|number| NO_FRAME_NOW.contains(&number))
}

/// The answer of a function of libvpf or libcam as a result.
pub(crate) fn vio(function: &'static str, code: i32) -> Result<()> {
    if code == 0 { Ok(()) } else { Err(Error::Vio { function, code }) }
}

fn vio_kind(code: i32) -> ErrorKind {
    match hbn_number(code) {
        _ if is_no_frame_now(code) => ErrorKind::TimedOut,
        Some(1..=11 | 44) => ErrorKind::InvalidArgument,
        Some(23) => ErrorKind::Unsupported,
        Some(24) => ErrorKind::PermissionDenied,
        Some(25 | 32) => ErrorKind::OutOfMemory,
        _ => ErrorKind::System,
    }
}

/// The answer of a function of libmultimedia as a result.
pub(crate) fn media(function: &'static str, code: i32) -> Result<()> {
    if code == 0 { Ok(()) } else { Err(Error::Codec { function, code }) }
}

fn codec_kind(code: i32) -> ErrorKind {
    use framelane_hobot_sys::media;
    match code {
        media::WAIT_TIMEOUT | media::RESPONSE_TIMEOUT => ErrorKind::TimedOut,
        media::CODEC_NOT_FOUND | media::UNSUPPORTED_FEATURE => ErrorKind::Unsupported,
        media::INVALID_PARAMS
        | media::INVALID_INSTANCE
        | media::INVALID_BUFFER
        | media::INVALID_COMMAND
        | media::INVALID_PRIORITY => ErrorKind::InvalidArgument,
        media::INSUFFICIENT_RES => ErrorKind::OutOfMemory,
        media::NO_FREE_INSTANCE => ErrorKind::TooMany,
        media::OUTPUT_BUF_FULL => ErrorKind::RecordTooLarge,
        _ => ErrorKind::System,
    }
}

fn memory_kind(code: i32) -> ErrorKind {
    match code {
        hb_mem::INVALID_PARAMS
        | hb_mem::INVALID_FD
        | hb_mem::INVALID_VADDR
        | hb_mem::INVALID_GROUPID => ErrorKind::InvalidArgument,
        hb_mem::INSUFFICIENT_MEM => ErrorKind::OutOfMemory,
        hb_mem::TOO_MANY_FD => ErrorKind::TooMany,
        hb_mem::TIMEOUT | hb_mem::WAIT_SHARE_FAILURE => ErrorKind::TimedOut,
        hb_mem::NOT_ALLOW => ErrorKind::PermissionDenied,
        hb_mem::CHECK_VER_FAIL => ErrorKind::Unsupported,
        _ => ErrorKind::System,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_which_call_failed_and_the_vendors_name_for_it() {
        let error = memory("hb_mem_import_graph_buf", hb_mem::INVALID_PARAMS).unwrap_err();
        assert_eq!(error.to_string(), "hb_mem_import_graph_buf: INVALID_PARAMS (-16777214)");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(!error.is_transient());
        let ours: framelane::Error = error.clone().into();
        assert_eq!((ours.kind(), ours.to_string()), (error.kind(), error.to_string()));
        let slow = memory("hb_mem_wait_share_status", hb_mem::TIMEOUT).unwrap_err();
        assert!(slow.is_transient());
        let none = vio("hbn_vnode_getframe", -43).unwrap_err();
        assert_eq!(none.to_string(), "hbn_vnode_getframe: no frame could be taken (-43)");
        assert!(none.is_transient());
        assert!(vio("hbn_vnode_getframe", -(3 << 16 | 43)).unwrap_err().is_transient());
        let bad = vio("hbn_vnode_set_ochn_attr", -10).unwrap_err();
        assert_eq!((bad.kind(), bad.is_transient()), (ErrorKind::InvalidArgument, false));
        let busy = media("hb_mm_mc_dequeue_input_buffer", -268_435_443).unwrap_err();
        assert_eq!(busy.to_string(), "hb_mm_mc_dequeue_input_buffer: WAIT_TIMEOUT (-268435443)");
        assert!(busy.is_transient());
        let broken = media("hb_mm_mc_start", -268_435_453).unwrap_err();
        assert_eq!((broken.kind(), broken.is_transient()), (ErrorKind::System, false));
        let odd = memory("f", -3).unwrap_err();
        assert_eq!((odd.to_string().as_str(), odd.kind()), ("f: number (-3)", ErrorKind::System));
    }
}
