//! Status numbers and the caller's error buffer.

use framelane::{Error, ErrorKind};
use std::ffi::{CString, c_char};
use std::sync::LazyLock;

/// 0 on success, otherwise a number of `framelane_error_kind` in framelane_layout.h.
pub type framelane_status = u32;

/// Room for what went wrong. The caller owns it; every function that fails fills it.
#[repr(C)]
pub struct framelane_error {
    /// The status that was returned with it.
    pub status: framelane_status,
    /// A sentence that says what and why, cut to fit, always ending in zero.
    pub text: [c_char; 508],
}

/// Writes an error into the caller's buffer, if there is one; its status.
pub(crate) fn report(error: &Error, into: *mut framelane_error) -> framelane_status {
    fill(error.kind().number(), || error.to_string(), into)
}

/// The answer of a read that found nothing in its time.
pub(crate) fn nothing(into: *mut framelane_error) -> framelane_status {
    fill(ErrorKind::TimedOut.number(), || "nothing came in time", into)
}

/// The answer of a send that found no room in its time.
pub(crate) fn full(into: *mut framelane_error) -> framelane_status {
    fill(ErrorKind::NoFreeSlot.number(), || "the ring had no room in time", into)
}

fn fill<T: AsRef<str>>(
    status: framelane_status,
    text: impl FnOnce() -> T,
    into: *mut framelane_error,
) -> framelane_status {
    // SAFETY: by convention NULL, or a valid framelane_error that nobody else uses now.
    if let Some(into) = unsafe { into.as_mut() } {
        into.status = status;
        put(&mut into.text, text().as_ref());
    }
    status
}

fn put(into: &mut [c_char; 508], text: &str) {
    let mut end = text.len().min(into.len() - 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    into.fill(0);
    for (to, from) in into.iter_mut().zip(&text.as_bytes()[..end]) {
        *to = *from as c_char;
    }
}

pub(crate) fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, what)
}

/// Names of all kinds as C strings, by number.
static NAMES: LazyLock<Vec<(u32, CString)>> = LazyLock::new(|| {
    let named = |kind: &ErrorKind| Some((kind.number(), CString::new(kind.name()).ok()?));
    ErrorKind::ALL.iter().filter_map(named).collect()
});

/// Name of a status: `ok`, `no_free_slot`, ... `unknown` for a number that has no meaning. The text
/// lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_error_kind_name(status: framelane_status) -> *const c_char {
    let found = NAMES.iter().find(|(number, _)| *number == status);
    found.map_or(c"unknown".as_ptr(), |(_, name)| name.as_ptr())
}
