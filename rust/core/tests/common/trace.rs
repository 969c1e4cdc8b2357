//! Counting system calls exactly: the test traces a child, which marks what is to be counted.
//!
//! A mark is a getppid with arguments, which the kernel ignores and the tracer sees. Only ptrace is
//! used, which needs no privilege for a child of one's own.
#![allow(unsafe_code, reason = "ptrace")]

use super::child::{self, Child};
use super::{DEADLINE, Place};
use rustix::process::{Signal, kill_process};
use std::collections::HashMap;
use std::os::unix::process::CommandExt;
use std::sync::mpsc::{Sender, channel};

const MAGIC: u64 = 0x6d61_726b;

/// What a mark says.
#[repr(u64)]
#[derive(Clone, Copy)]
enum Mark {
    Begin = 1,
    /// What was counted since Begin is one sample.
    End = 2,
    /// What was counted since Begin does not count.
    Discard = 3,
    /// From here on the SDK's own threads have nothing to do,
    PeaceBegins = 4,
    /// until here.
    PeaceEnds = 5,
}

fn mark(mark: Mark, label: u64) {
    // SAFETY: getppid takes no arguments and only returns a number.
    unsafe { libc::syscall(libc::SYS_getppid, MAGIC, mark as u64, label) };
}

/// In the child: counts the system calls of this thread while `body` runs, as one sample of
/// `label`. The sample counts if `body` says so.
pub fn counted(label: u64, body: impl FnOnce() -> bool) {
    mark(Mark::Begin, label);
    let counts = body();
    mark(if counts { Mark::End } else { Mark::Discard }, label);
}

/// In the child: system calls of the SDK's own threads while `body` runs are counted apart.
pub fn in_peace(body: impl FnOnce()) {
    super::until("the SDK's own threads sleep", super::os::own_threads_sleep);
    mark(Mark::PeaceBegins, 0);
    body();
    mark(Mark::PeaceEnds, 0);
}

/// Numbers of the system calls of one sample.
pub type Sample = Vec<u64>;

/// What a traced child did.
#[derive(Default)]
pub struct Trace {
    samples: HashMap<u64, Vec<Sample>>,
    /// Calls of the SDK's own threads in times of peace.
    pub background: Vec<u64>,
    peace: bool,
}

impl Trace {
    /// Asserts that every sample of a label has exactly these system calls.
    pub fn expect(&self, label: u64, what: &str, calls: &[libc::c_long]) {
        let samples = self.samples.get(&label).unwrap_or_else(|| panic!("{what}: no sample"));
        for sample in samples {
            let found: Vec<libc::c_long> = sample.iter().map(|&call| call as _).collect();
            assert_eq!(found, calls, "system calls of: {what}");
        }
    }
}

#[derive(Default)]
struct Thread {
    counting: Option<(u64, Sample)>,
    is_background: Option<bool>,
}

/// Runs a role under ptrace to its end.
pub fn trace(place: &Place, role: &str) -> Trace {
    let mut command = child::command(place, role);
    // SAFETY: between fork and exec only one system call is made.
    unsafe {
        command.pre_exec(|| match libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        })
    };
    let child = Child::spawn(role, command);
    let _alarm = alarm(&child);
    let mut tracer =
        Tracer { process: raw(&child), threads: HashMap::new(), trace: Trace::default() };
    let status = tracer.run();
    child.has_been_reaped();
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "{role}: {status:#x}");
    tracer.trace
}

fn raw(child: &Child) -> libc::pid_t {
    child.pid.as_raw_nonzero().get()
}

/// Kills a child that takes too long: waiting for it under ptrace knows no deadline.
fn alarm(child: &Child) -> Sender<()> {
    let (alive, ended) = channel::<()>();
    let pid = child.pid;
    std::thread::spawn(move || {
        if ended.recv_timeout(3 * DEADLINE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            eprintln!("the traced child hangs");
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    alive
}

struct Tracer {
    process: libc::pid_t,
    threads: HashMap<libc::pid_t, Thread>,
    trace: Trace,
}

impl Tracer {
    /// Follows every thread until the process ends; its status.
    fn run(&mut self) -> i32 {
        let mut begun = false;
        loop {
            let mut status = 0;
            // Only children of this very thread: other tests have children too.
            let flags = libc::__WALL | libc::__WNOTHREAD;
            // SAFETY: status is a valid place for the result.
            let tid = unsafe { libc::waitpid(-1, &raw mut status, flags) };
            assert!(tid > 0, "waitpid: {}", std::io::Error::last_os_error());
            if !libc::WIFSTOPPED(status) {
                self.threads.remove(&tid);
                if tid == self.process {
                    return status;
                }
                continue;
            }
            if !begun {
                begun = true;
                let options = libc::PTRACE_O_TRACESYSGOOD
                    | libc::PTRACE_O_TRACECLONE
                    | libc::PTRACE_O_EXITKILL;
                ptrace(libc::PTRACE_SETOPTIONS, tid, options as usize);
            }
            let signal = self.stopped(tid, status);
            ptrace(libc::PTRACE_SYSCALL, tid, signal as usize);
        }
    }

    /// Handles a stop; the signal to go on with.
    fn stopped(&mut self, tid: libc::pid_t, status: i32) -> i32 {
        let fresh = !self.threads.contains_key(&tid);
        self.threads.entry(tid).or_default();
        match libc::WSTOPSIG(status) {
            signal if signal == libc::SIGTRAP | 0x80 => {
                if let Some((call, arguments)) = entered(tid) {
                    self.call(tid, call, arguments);
                }
                0
            }
            libc::SIGTRAP => 0,          // an exec or a clone
            libc::SIGSTOP if fresh => 0, // how a new thread begins
            signal => signal,
        }
    }

    fn call(&mut self, tid: libc::pid_t, call: u64, arguments: [u64; 6]) {
        let thread = self.threads.entry(tid).or_default();
        if call == libc::SYS_getppid as u64 && arguments[0] == MAGIC {
            let label = arguments[2];
            let before = thread.counting.take();
            match arguments[1] {
                mark if mark == Mark::Begin as u64 => thread.counting = Some((label, Vec::new())),
                mark if mark == Mark::End as u64 => {
                    let (begun, sample) = before.expect("a mark that ends has begun");
                    assert_eq!(begun, label);
                    self.trace.samples.entry(label).or_default().push(sample);
                }
                mark if mark == Mark::PeaceBegins as u64 => self.trace.peace = true,
                mark if mark == Mark::PeaceEnds as u64 => self.trace.peace = false,
                _ => {}
            }
            return;
        }
        if let Some((_, sample)) = &mut thread.counting {
            sample.push(call);
        } else if self.trace.peace {
            let process = self.process;
            if *thread.is_background.get_or_insert_with(|| is_background(process, tid)) {
                self.trace.background.push(call);
            }
        }
    }
}

/// Whether a thread is the SDK's own.
fn is_background(process: libc::pid_t, tid: libc::pid_t) -> bool {
    let name = std::fs::read_to_string(format!("/proc/{process}/task/{tid}/comm"));
    name.unwrap_or_default().starts_with("fl-")
}

/// The call that a thread enters, and its arguments; None when it leaves one.
fn entered(tid: libc::pid_t) -> Option<(u64, [u64; 6])> {
    let mut info = std::mem::MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    let size = size_of::<libc::ptrace_syscall_info>();
    // SAFETY: the kernel writes at most `size` bytes to `info`.
    let result =
        unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, tid, size, info.as_mut_ptr()) };
    assert!(result > 0, "PTRACE_GET_SYSCALL_INFO: {}", std::io::Error::last_os_error());
    // SAFETY: all zeroes is a valid value, and the kernel has filled in the rest.
    let info = unsafe { info.assume_init() };
    if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return None;
    }
    // SAFETY: the operation says that this is the part of the union that is filled.
    let entry = unsafe { info.u.entry };
    Some((entry.nr, entry.args))
}

fn ptrace(request: libc::c_uint, tid: libc::pid_t, data: usize) {
    // SAFETY: these requests take a number and touch no memory of this process.
    let result = unsafe { libc::ptrace(request, tid, 0, data) };
    if result == -1 {
        let error = std::io::Error::last_os_error();
        // A thread that was killed while it was stopped.
        assert_eq!(error.raw_os_error(), Some(libc::ESRCH), "ptrace: {error}");
    }
}

/// Page faults of this thread so far.
pub fn page_faults() -> i64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: usage is a valid place for the result.
    let result = unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) };
    assert_eq!(result, 0);
    // SAFETY: filled by the call, and all zeroes is valid too.
    let usage = unsafe { usage.assume_init() };
    usage.ru_minflt + usage.ru_majflt
}
