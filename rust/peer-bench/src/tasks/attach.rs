//! A consumer that comes while frames flow: how long until it is attached, and until it holds
//! its first frame.

use super::{next, sleep_until};
use crate::control::{Log, now};
use crate::lanes::{Consumer, Lane, Producer};
use crate::role::{Role, say, serve};
use crate::shared::Shared;
use anyhow::Result;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Publishes at a steady pace until the parent closes the input.
pub fn feed<L: Lane>(role: &Role, shared: &'static Shared, every_ns: u64) -> Result<()> {
    let mut producer = L::producer(&role.setup, shared)?;
    static OVER: AtomicBool = AtomicBool::new(false);
    std::thread::spawn(|| {
        let _ = serve(|_| Ok(()));
        OVER.store(true, Relaxed);
    });
    let mut tick = now();
    while !OVER.load(Relaxed) {
        tick += every_ns;
        sleep_until(tick)?;
        let mut claim = producer.claim()?;
        producer.describe(&mut claim, tick);
        producer.publish(claim)?;
    }
    Ok(())
}

/// Attaches once. Times are counted from just before the attach.
pub fn newcomer<L: Lane>(role: &Role, shared: &'static Shared, started_ns: u64) -> Result<()> {
    let before = now();
    let mut consumer = L::consumer(&role.setup, shared, 0)?;
    let attached = now();
    let held = next(&mut consumer, role.setup.wait)?;
    let first = now();
    consumer.release(held)?;
    let log = Log(shared);
    log.seen(0, 0, attached - before);
    log.seen(0, 1, first - before);
    log.seen(0, 2, first - started_ns);
    say("ok")
}
