//! Producer and consumers in one thread: what a hand-off costs in software, no waiting, no
//! second core.

use crate::control::{Log, now};
use crate::lanes::{Consumer, Lane, Producer};
use crate::role::{Role, serve};
use crate::shared::Shared;
use anyhow::{Result, bail};

pub fn both<L: Lane>(role: &Role, shared: &'static Shared) -> Result<()> {
    let mut producer = L::producer(&role.setup, shared)?;
    let mut consumers = (0..role.setup.consumers)
        .map(|index| L::consumer(&role.setup, shared, index))
        .collect::<Result<Vec<_>>>()?;
    let log = Log(shared);
    serve(|count| {
        let start = now();
        for sequence in 0..count as u64 {
            hand_over(&mut producer, &mut consumers, sequence)?;
        }
        log.sent(0, now() - start);
        Ok(())
    })
}

#[inline(always)]
fn hand_over<P: Producer, C: Consumer>(
    producer: &mut P,
    consumers: &mut [C],
    sequence: u64,
) -> Result<()> {
    let mut claim = producer.claim()?;
    producer.describe(&mut claim, sequence);
    producer.publish(claim)?;
    for consumer in consumers {
        match consumer.poll() {
            Ok(Some(held)) => consumer.release(held)?,
            Ok(None) => bail!("a published frame was not there"),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
