//! Message after message through a ring that keeps both sides in step by itself, and the copies
//! that it comes to.

use crate::control::{Log, cpu_time, now};
use crate::lanes::{Consumer, Lane, Producer};
use crate::role::{Role, serve};
use crate::shared::Shared;
use crate::tasks::flow;
use anyhow::Result;

const SOURCES: usize = 4;
/// Bytes of the region that is copied to in turn: as large as the ring of the row.
const REGION: usize = 8 << 20;

pub fn producer<L: Lane>(role: &Role, shared: &'static Shared) -> Result<()> {
    let mut producer = L::producer(&role.setup, shared)?;
    let (flow, log) = (flow(role, shared), Log(shared));
    let sources = sources(role);
    serve(|count| {
        let cpu = cpu_time();
        let start = now();
        (0..count).try_for_each(|frame| producer.publish_copy(&sources[frame % SOURCES]))?;
        flow.wait_for(1)?;
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
        for _ in 0..count {
            let held = consumer.wait()?;
            consumer.release(held)?;
        }
        flow.acknowledge(index, 1);
        log.cpu(1 + index, cpu_time() - cpu);
        Ok(())
    })
}

/// memcpy of as many bytes, once, from memory to a region that is written in turn.
pub fn memcpy(role: &Role, shared: &'static Shared) -> Result<()> {
    let log = Log(shared);
    let sources = sources(role);
    let mut region = vec![0u8; REGION];
    let bytes = role.setup.bytes();
    let places = (REGION / bytes).max(1);
    serve(|count| {
        let cpu = cpu_time();
        let start = now();
        for frame in 0..count {
            let at = frame % places * bytes;
            region[at..at + bytes].copy_from_slice(&sources[frame % SOURCES]);
            std::hint::black_box(&mut region);
        }
        log.sent(0, now() - start);
        log.cpu(0, cpu_time() - cpu);
        Ok(())
    })
}

fn sources(role: &Role) -> Vec<Vec<u8>> {
    (0..SOURCES).map(|source| vec![source as u8 + 1; role.setup.bytes()]).collect()
}
