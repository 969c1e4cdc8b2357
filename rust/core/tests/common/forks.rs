//! Forking within a test process.
#![allow(unsafe_code, reason = "fork, exec and _exit")]

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// After which a child that hangs is ended by the alarm.
const SECONDS: u32 = 30;
/// Exit code of a child whose body failed.
const FAILED: i32 = 9;

/// Runs `body` in a fork of this process and ends that without unwinding further.
pub fn fork(body: impl FnOnce()) -> Pid {
    // SAFETY: the child runs `body`, which is there to show what of this crate works after a fork,
    // and never returns into the caller's code.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if let Some(pid) = Pid::from_raw(pid) {
        return pid;
    }
    // SAFETY: sets a timer of this process.
    unsafe { libc::alarm(SECONDS) };
    let code = if catch_unwind(AssertUnwindSafe(body)).is_ok() { 0 } else { FAILED };
    // SAFETY: ends the process at once.
    unsafe { libc::_exit(code) }
}

/// Ends this process the ordinary way, its exit handlers included.
pub fn exit() {
    // SAFETY: exit handlers of a forked child touch only its own copy.
    unsafe { libc::exit(0) };
}

/// Replaces this process by a program that does nothing.
pub fn exec() {
    const PROGRAM: &CStr = c"/bin/true";
    let arguments = [PROGRAM.as_ptr(), std::ptr::null()];
    // SAFETY: both are terminated as execv wants them and outlive the call.
    unsafe { libc::execv(PROGRAM.as_ptr(), arguments.as_ptr()) };
    panic!("execv: {}", std::io::Error::last_os_error());
}

/// Stays, with every descriptor, until it is killed.
pub fn stay() {
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

/// Asserts that a forked child ended well.
pub fn expect_good(pid: Pid) {
    let (_, status) = waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap();
    assert_eq!(status.exit_status(), Some(0), "the forked child: {status:?}");
}

/// A process that is not ours to wait for, killed on drop.
pub struct Stray(Pid);

impl Stray {
    /// By the number another process told.
    pub fn new(pid: &str) -> Self {
        Stray(Pid::from_raw(pid.parse().unwrap()).unwrap())
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&self) {
        let _ = kill_process(self.0, Signal::KILL);
        super::until("the stray process is gone", || {
            let state =
                super::os::state_of(self.0.as_raw_nonzero().get(), self.0.as_raw_nonzero().get());
            matches!(state, '-' | 'Z' | 'X')
        });
    }
}

impl Drop for Stray {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::KILL);
    }
}
