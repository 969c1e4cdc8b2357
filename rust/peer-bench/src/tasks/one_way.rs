//! One frame at a time, from the moment a filled frame is handed over to the moment its consumer
//! holds it. Both moments go to logs of their own, so that no stamp travels with the frame.

use super::{flow, next, sleep_until};
use crate::control::{Log, cpu_time, now};
use crate::lanes::{Consumer, Lane, Producer, Wait};
use crate::role::{Role, serve};
use crate::shared::Shared;
use anyhow::Result;

/// Pause of a polled producer, so that its consumer spins again and no write is under way.
const SETTLE_NS: u64 = 500;

pub fn producer<L: Lane>(role: &Role, shared: &'static Shared, every_ns: u64) -> Result<()> {
    let mut producer = L::producer(&role.setup, shared)?;
    let (flow, log) = (flow(role, shared), Log(shared));
    let polled = role.setup.wait == Wait::Poll;
    serve(|count| {
        let cpu = cpu_time();
        let start = now();
        for index in 0..count {
            flow.wait_for(index as u64)?;
            if every_ns != 0 {
                sleep_until(start + (index as u64 + 1) * every_ns)?;
            }
            let mut claim = producer.claim()?;
            producer.describe(&mut claim, index as u64);
            if every_ns == 0 {
                settle(polled);
            }
            let sent = now();
            producer.publish(claim)?;
            log.sent(index, sent);
        }
        flow.wait_for(count as u64)?;
        log.cpu(0, cpu_time() - cpu);
        Ok(())
    })
}

/// Lets the consumer get back to where it waits.
fn settle(polled: bool) {
    if polled {
        let until = now() + SETTLE_NS;
        while now() < until {
            std::hint::spin_loop();
        }
        return;
    }
    // On one processor the consumer runs now, until it sleeps.
    (0..4).for_each(|_| rustix::thread::sched_yield());
}

pub fn consumer<L: Lane>(
    role: &Role,
    shared: &'static Shared,
    index: usize,
    inspect: bool,
) -> Result<()> {
    let mut consumer = L::consumer(&role.setup, shared, index)?;
    let (flow, log) = (flow(role, shared), Log(shared));
    serve(|count| {
        let cpu = cpu_time();
        for frame in 0..count {
            let held = next(&mut consumer, role.setup.wait)?;
            if inspect {
                std::hint::black_box(consumer.inspect(&held));
            }
            log.seen(index, frame, now());
            consumer.release(held)?;
            flow.acknowledge(index, frame as u64 + 1);
        }
        log.cpu(1 + index, cpu_time() - cpu);
        Ok(())
    })
}
