//! The producer copies one of four frames in, every consumer reads all of it. At most two frames
//! are unread, so that both sides work at once and nothing is lost.

use super::{flow, next};
use crate::control::{Log, cpu_time, now};
use crate::lanes::{Consumer, Lane, Producer};
use crate::role::{Role, serve};
use crate::shared::Shared;
use anyhow::{Result, ensure};

const SOURCES: usize = 4;
const UNREAD: u64 = 2;

pub fn producer<L: Lane>(role: &Role, shared: &'static Shared) -> Result<()> {
    let mut producer = L::producer(&role.setup, shared)?;
    let (flow, log) = (flow(role, shared), Log(shared));
    let mut sources: Vec<Vec<u8>> =
        (0..SOURCES).map(|source| vec![source as u8 + 1; role.setup.bytes()]).collect();
    serve(|count| {
        let cpu = cpu_time();
        let start = now();
        for frame in 0..count as u64 {
            flow.wait_for((frame + 1).saturating_sub(UNREAD))?;
            let source = &mut sources[frame as usize % SOURCES];
            source[..8].copy_from_slice(&frame.to_ne_bytes());
            producer.publish_copy(source)?;
        }
        flow.wait_for(count as u64)?;
        log.sent(0, now() - start);
        log.cpu(0, cpu_time() - cpu);
        Ok(())
    })
}

pub fn consumer<L: Lane>(role: &Role, shared: &'static Shared, index: usize) -> Result<()> {
    let mut consumer = L::consumer(&role.setup, shared, index)?;
    let (flow, log) = (flow(role, shared), Log(shared));
    serve(|count| {
        let cpu = cpu_time();
        for frame in 0..count as u64 {
            let held = next(&mut consumer, role.setup.wait)?;
            let seen = consumer.read(&held)?;
            ensure!(seen.first == frame, "frame {frame} was expected, {} came", seen.first);
            consumer.release(held)?;
            flow.acknowledge(index, frame + 1);
        }
        log.cpu(1 + index, cpu_time() - cpu);
        Ok(())
    })
}
