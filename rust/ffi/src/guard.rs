//! The one way into the library: NULL and panics become statuses here.

use crate::error::{framelane_error, framelane_status, invalid, report};
use framelane::{Error, ErrorKind, Result};
use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Runs an entry point.
pub(crate) fn enter(
    error: *mut framelane_error,
    body: impl FnOnce() -> Result<()>,
) -> framelane_status {
    // A panic leaves handles as a killed thread would: usable or poisoned, never half-freed.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => ErrorKind::Ok.number(),
        Ok(Err(failure)) => report(&failure, error),
        Err(panic) => report(&described(&*panic), error),
    }
}

/// The error of a panic inside.
#[cold]
pub fn described(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into());
    Error::new(ErrorKind::Internal, format!("a bug in framelane: {text}"))
}

/// A handle or buffer behind a pointer of the caller's.
pub(crate) fn at<'a, T>(pointer: *const T, what: &str) -> Result<&'a T> {
    // SAFETY: by convention NULL, or a valid object of this type that lives through the call and
    // is not changed by others meanwhile.
    unsafe { pointer.as_ref() }.ok_or_else(|| invalid(&format!("{what} is NULL")))
}

/// The same, for an object that this call may change.
pub(crate) fn at_mut<'a, T>(pointer: *mut T, what: &str) -> Result<&'a mut T> {
    // SAFETY: as for `at`, and by convention nobody else uses the object meanwhile.
    unsafe { pointer.as_mut() }.ok_or_else(|| invalid(&format!("{what} is NULL")))
}

/// Writes an output.
pub(crate) fn give<T>(value: T, into: *mut T, what: &str) -> Result<()> {
    if into.is_null() {
        return Err(invalid(&format!("{what} is NULL")));
    }
    // SAFETY: not NULL, and by convention room for one T, initialised or not.
    unsafe { into.write(value) };
    Ok(())
}

/// Moves a handle to the heap and hands it to the caller, who gives it back with [`take`].
pub(crate) fn give_handle<T>(value: T, into: *mut *mut T, what: &str) -> Result<()> {
    if into.is_null() {
        return Err(invalid(&format!("{what} is NULL")));
    }
    give(Box::into_raw(Box::new(value)), into, what)
}

/// Takes a handle back from the caller; NULL is nothing.
pub(crate) fn take<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: by convention a handle that `give_handle` made and that was not taken before.
        drop(unsafe { Box::from_raw(handle) });
    }
}

/// Text of the caller's.
pub(crate) fn text<'a>(pointer: *const c_char, what: &str) -> Result<&'a str> {
    if pointer.is_null() {
        return Err(invalid(&format!("{what} is NULL")));
    }
    // SAFETY: not NULL, and by convention a zero-terminated string that lives through the call.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|_| invalid(&format!("{what} is not UTF-8")))
}

/// Path of the caller's that may be left out.
pub(crate) fn optional_path<'a>(pointer: *const c_char) -> Option<&'a Path> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: as for `text`.
    let bytes = unsafe { CStr::from_ptr(pointer) }.to_bytes();
    Some(Path::new(OsStr::from_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status_with_its_words() {
        let mut error = framelane_error { status: 0, text: [0; 508] };
        let words = |error: &framelane_error| {
            let bytes = error.text.iter().take_while(|c| **c != 0).map(|c| *c as u8).collect();
            String::from_utf8(bytes).unwrap()
        };
        let status = enter(&mut error, || panic!("plain"));
        assert_eq!((status, error.status), (ErrorKind::Internal.number(), status));
        assert_eq!(words(&error), "a bug in framelane: plain");
        let number = 7;
        enter(&mut error, || panic!("number {number}"));
        assert_eq!(words(&error), "a bug in framelane: number 7");
    }
}
