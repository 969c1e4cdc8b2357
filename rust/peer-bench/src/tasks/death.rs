//! What a kill -9 does to the side that stays.

use super::{millis, next};
use crate::control::{Log, now};
use crate::lanes::{Consumer, Lane, Producer};
use crate::role::{Role, serve};
use crate::shared::Shared;
use anyhow::{Context, Result};

/// How long the survivor is given.
pub const LIMIT_MS: u64 = 500;
/// How often a producer is asked whether it still reserves memory for the dead.
const LOOK_EVERY: u64 = 50_000;

/// Producer: publishes, then waits until the dead consumer no longer costs it a slot. A batch of
/// one frame; batch 2 is the wait.
pub fn watcher<L: Lane>(role: &Role, shared: &'static Shared) -> Result<()> {
    let mut producer = L::producer(&role.setup, shared)?;
    let log = Log(shared);
    serve(|count| {
        if count == 1 {
            return publish(&mut producer);
        }
        let limit = now() + millis(LIMIT_MS).as_nanos() as u64;
        log.sent(0, 0);
        while now() < limit {
            if producer.burden()?.context("this mechanism does not know")? == 0 {
                log.sent(0, now());
                break;
            }
            super::sleep_until(now() + LOOK_EVERY)?;
        }
        Ok(())
    })
}

/// Consumer: takes a frame and never gives it back.
pub fn holder<L: Lane>(role: &Role, shared: &'static Shared, index: usize) -> Result<()> {
    let mut consumer = L::consumer(&role.setup, shared, index)?;
    let mut held = Vec::new();
    serve(|_| {
        held.push(next(&mut consumer, role.setup.wait)?);
        Ok(())
    })
}

/// Producer: publishes once and is killed.
pub fn victim<L: Lane>(role: &Role, shared: &'static Shared) -> Result<()> {
    let mut producer = L::producer(&role.setup, shared)?;
    serve(|_| publish(&mut producer))
}

/// Consumer: takes a frame, then sleeps until told of the end.
pub fn widow<L: Lane>(role: &Role, shared: &'static Shared, index: usize) -> Result<()> {
    let mut consumer = L::consumer(&role.setup, shared, index)?;
    let log = Log(shared);
    serve(|count| {
        if count == 1 {
            let held = next(&mut consumer, role.setup.wait)?;
            return consumer.release(held);
        }
        let told = consumer.wait_for_end(millis(LIMIT_MS))?;
        log.seen(index, 0, if told { now() } else { 0 });
        Ok(())
    })
}

fn publish<P: Producer>(producer: &mut P) -> Result<()> {
    let mut claim = producer.claim()?;
    producer.describe(&mut claim, 1);
    producer.publish(claim)
}
