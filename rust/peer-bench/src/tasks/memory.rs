//! How much memory a lane takes for four consumers with one lease each: counted in frames, while
//! each holds one and the producer goes on.

use crate::control::Log;
use crate::lanes::{Consumer, Lane, Producer};
use crate::role::{Role, serve};
use crate::shared::Shared;
use anyhow::{Context, Result};
use std::collections::BTreeMap;

/// Frames published while everybody holds one.
const MEANWHILE: u64 = 100;

pub fn both<L: Lane>(role: &Role, shared: &'static Shared) -> Result<()> {
    let mut producer = L::producer(&role.setup, shared)?;
    let mut consumers = (0..role.setup.consumers)
        .map(|index| L::consumer(&role.setup, shared, index))
        .collect::<Result<Vec<_>>>()?;
    let mut held = Vec::new();
    // Each consumer takes a frame of its own, so that as many slots as possible are held.
    for sequence in 0..role.setup.consumers as u64 + MEANWHILE {
        let mut claim = producer.claim()?;
        producer.describe(&mut claim, sequence);
        producer.publish(claim)?;
        if let Some(consumer) = consumers.get_mut(sequence as usize) {
            held.push(consumer.poll()?.context("a published frame was not there")?);
        }
    }
    let bytes = mapped()?;
    Log(shared).sent(0, bytes);
    for (consumer, held) in consumers.iter_mut().zip(held) {
        consumer.release(held)?;
    }
    serve(|_| Ok(()))
}

/// Bytes of shared files that this process maps, each file once, the contest's own aside.
fn mapped() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/maps")?;
    let mut files: BTreeMap<&str, u64> = BTreeMap::new();
    for line in text.lines() {
        // address perms offset device inode path
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [range, perms, _, device, inode, path, ..] = fields[..] else { continue };
        let ours = path.contains("/memfd:framelane") || path.starts_with("/dev/shm/");
        if !ours || !perms.ends_with('s') || device.is_empty() {
            continue;
        }
        let (from, to) = range.split_once('-').context("a range of addresses")?;
        let bytes = u64::from_str_radix(to, 16)? - u64::from_str_radix(from, 16)?;
        let largest = files.entry(inode).or_default();
        *largest = bytes.max(*largest);
    }
    Ok(files.values().sum())
}
