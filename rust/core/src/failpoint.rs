//! Labelled steps at which a test can stop or kill the process.
//!
//! With the feature `failpoints`, `FRAMELANE_FAIL=<step>:<action>[:<n>]` raises a signal on the
//! n-th time the step is reached (1 without n): action `kill` or `stop`. Without the feature a
//! step is nothing.

#[cfg(any(loom, not(feature = "failpoints")))]
#[inline(always)]
pub(crate) fn step(_label: &str) {}

#[cfg(all(not(loom), feature = "failpoints"))]
pub(crate) fn step(label: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Plan {
        label: String,
        signal: libc::c_int,
        remaining: AtomicU64,
    }
    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
    let plan = PLAN.get_or_init(|| {
        let text = std::env::var("FRAMELANE_FAIL").ok()?;
        let mut parts = text.split(':');
        let label = parts.next()?.to_owned();
        let signal = match parts.next() {
            Some("kill") => libc::SIGKILL,
            Some("stop") => libc::SIGSTOP,
            other => panic!("FRAMELANE_FAIL={text}: {other:?} is not kill or stop"),
        };
        let count = parts.next().map_or(1, |n| n.parse().expect("FRAMELANE_FAIL: a count"));
        Some(Plan { label, signal, remaining: AtomicU64::new(count) })
    });
    if let Some(plan) = plan
        && plan.label == label
        && plan.remaining.fetch_sub(1, Ordering::Relaxed) == 1
    {
        crate::signals::raise_here(plan.signal);
    }
}
