//! The one way in: results and panics become status numbers, with their sentence kept aside.

use framelane::{Error, ErrorKind, Result};
use std::cell::RefCell;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

thread_local! {
    /// Of the last call of this thread that failed. The headers fetch it before they return.
    static LAST: RefCell<Last> = const { RefCell::new(Last::NONE) };
}

/// What C++ may ask about a failure.
struct Last {
    kind: u32,
    missed: u64,
    text: String,
}

impl Last {
    const NONE: Self = Last { kind: 0, missed: 0, text: String::new() };
}

/// Runs an entry point. A panic leaves handles as a killed thread would: usable or poisoned.
#[inline(always)]
pub fn enter(body: impl FnOnce() -> Result<()>) -> u32 {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => ErrorKind::Ok.number(),
        Ok(Err(error)) => keep(&error),
        Err(panic) => keep(&framelane_ffi::described(&*panic)),
    }
}

/// The same, for what makes a handle: NULL where it fails.
pub fn make<T>(body: impl FnOnce() -> Result<T>) -> *mut T {
    let mut made = std::ptr::null_mut();
    enter(|| {
        made = Box::into_raw(Box::new(body()?));
        Ok(())
    });
    made
}

pub fn error_kind() -> u32 {
    LAST.with_borrow(|last| last.kind)
}

/// Records that were overwritten before they were read, where that was the failure.
pub fn error_missed() -> u64 {
    LAST.with_borrow(|last| last.missed)
}

pub fn error_text() -> String {
    LAST.with_borrow_mut(|last| std::mem::take(&mut last.text))
}

#[cold]
fn keep(error: &Error) -> u32 {
    let (kind, missed) = (error.kind().number(), error.missed());
    LAST.set(Last { kind, missed, text: error.to_string() });
    kind
}

pub fn invalid(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, what)
}

pub fn error_kind_name(kind: u32) -> &'static str {
    ErrorKind::from_number(kind).map_or("unknown", ErrorKind::name)
}

/// A name as C++ passes it.
pub fn text<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| invalid(format!("{what} is not UTF-8")))
}

/// An empty directory stands for the search.
pub fn place(directory: &[u8]) -> Option<&Path> {
    Some(Path::new(OsStr::from_bytes(directory))).filter(|_| !directory.is_empty())
}
