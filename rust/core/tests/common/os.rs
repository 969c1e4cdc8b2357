//! What the system says about a process.

use rustix::process::Pid;

/// State letter of a thread: S sleeping, T stopped, R running.
pub fn state_of(pid: i32, tid: i32) -> char {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/stat")).unwrap_or_default();
    let rest = text.rsplit(')').next().unwrap_or_default();
    rest.trim_start().chars().next().unwrap_or('-')
}

/// Open descriptors of this process.
pub fn descriptors() -> usize {
    // Less the one that reads the directory.
    std::fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

/// Mappings of this process whose line has `what` in it.
pub fn mappings(what: &str) -> usize {
    let text = std::fs::read_to_string("/proc/self/maps").unwrap();
    text.lines().filter(|line| line.contains(what)).count()
}

/// Threads of this process.
pub fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Whether every thread that the SDK has started in this process sleeps.
pub fn own_threads_sleep() -> bool {
    let pid = std::process::id() as i32;
    std::fs::read_dir("/proc/self/task").unwrap().flatten().all(|task| {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let tid = task.file_name().to_string_lossy().parse().unwrap();
        !name.starts_with("fl-") || state_of(pid, tid) == 'S'
    })
}

/// Waits until a thread of this process sleeps in the kernel.
pub fn until_asleep(tid: Pid) {
    let pid = std::process::id() as i32;
    let tid = tid.as_raw_nonzero().get();
    super::until("the thread sleeps", || state_of(pid, tid) == 'S');
}
