//! What children do, for any mechanism.

pub mod attach;
pub mod clock;
pub mod copy;
pub mod death;
pub mod hand_off;
pub mod memory;
pub mod one_way;
pub mod pour;

use crate::control::{Flow, Patience};
use crate::lanes::{Consumer, Wait};
use crate::role::Role;
use crate::shared::Shared;
use anyhow::Result;
use std::time::Duration;

/// The flow of a contest: who polls its mechanism also spins on acknowledgements.
fn flow<'a>(role: &Role, shared: &'a Shared) -> Flow<'a> {
    let patience = match role.setup.wait {
        Wait::Poll => Patience::Spin,
        Wait::Sleep | Wait::Fd => Patience::Sleep,
    };
    Flow::new(shared, role.setup.consumers, patience)
}

/// The next frame, by the contest's way of waiting.
#[inline]
fn next<C: Consumer>(consumer: &mut C, wait: Wait) -> Result<C::Held> {
    if wait != Wait::Poll {
        return consumer.wait();
    }
    loop {
        if let Some(held) = consumer.poll()? {
            return Ok(held);
        }
        std::hint::spin_loop();
    }
}

/// Sleeps until a time of CLOCK_MONOTONIC.
fn sleep_until(ns: u64) -> Result<()> {
    use rustix::thread::clock_nanosleep_absolute;
    use rustix::time::{ClockId, Timespec};
    let at = Timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as i64 };
    Ok(clock_nanosleep_absolute(ClockId::Monotonic, &at)?)
}

const fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
