//! The floor: the least a correct reference-counted pool can do. A count in each slot, an index
//! ring for each consumer, last freed first. No crash safety, no descriptor, no sequence check.

use super::{Consumer, Lane, Producer, Seen, Setup, Wait, read_all};
use crate::control::FREE_LINES;
use crate::shared::{MAX_CONSUMERS, SLOTS, Shared};
use anyhow::{Result, bail};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// Lines: a count for each slot, then for each consumer a tail and a ring of eight indices.
const COUNTS: usize = FREE_LINES;
const TAILS: usize = COUNTS + SLOTS;
const RINGS: usize = TAILS + MAX_CONSUMERS;

pub struct Floor;

pub struct FloorProducer {
    shared: &'static Shared,
    consumers: usize,
    tail: u64,
    /// Slots, the one published longest ago first.
    order: [usize; SLOTS],
}

pub struct FloorConsumer {
    shared: &'static Shared,
    bytes: usize,
    index: usize,
    head: u64,
}

impl Lane for Floor {
    type Producer = FloorProducer;
    type Consumer = FloorConsumer;

    fn producer(setup: &Setup, shared: &'static Shared) -> Result<FloorProducer> {
        if setup.wait != Wait::Poll {
            bail!("the floor is polled");
        }
        let order = std::array::from_fn(|slot| slot);
        Ok(FloorProducer { shared, consumers: setup.consumers, tail: 0, order })
    }

    fn consumer(setup: &Setup, shared: &'static Shared, index: usize) -> Result<FloorConsumer> {
        Ok(FloorConsumer { shared, bytes: setup.bytes(), index, head: 0 })
    }
}

impl Producer for FloorProducer {
    type Claim = usize;

    #[inline]
    fn claim(&mut self) -> Result<usize> {
        for place in (0..SLOTS).rev() {
            let slot = self.order[place];
            if self.shared.word(COUNTS + slot).load(Acquire) == 0 {
                self.order[place..].rotate_left(1);
                return Ok(slot);
            }
        }
        bail!("no free slot")
    }

    #[inline]
    fn describe(&mut self, &mut slot: &mut usize, sequence: u64) {
        // Where a stamp of 16 bytes would be.
        self.shared.word_in(COUNTS + slot, 1).store(sequence, Relaxed);
        self.shared.word_in(COUNTS + slot, 2).store(sequence, Relaxed);
    }

    #[inline]
    fn publish(&mut self, slot: usize) -> Result<()> {
        self.shared.word(COUNTS + slot).store(self.consumers as u64, Relaxed);
        let tail = self.tail;
        self.tail += 1;
        for consumer in 0..self.consumers {
            let entry = self.shared.word_in(RINGS + consumer, tail as usize % 8);
            entry.store(slot as u64, Relaxed);
            self.shared.word(TAILS + consumer).store(tail + 1, Release);
        }
        Ok(())
    }

    fn publish_copy(&mut self, source: &[u8]) -> Result<()> {
        let slot = self.claim()?;
        self.shared.fill(slot, source.len(), |bytes| bytes.copy_from_slice(source));
        self.publish(slot)
    }
}

impl Consumer for FloorConsumer {
    type Held = usize;

    #[inline]
    fn poll(&mut self) -> Result<Option<usize>> {
        if self.shared.word(TAILS + self.index).load(Acquire) == self.head {
            return Ok(None);
        }
        let entry = self.shared.word_in(RINGS + self.index, self.head as usize % 8);
        self.head += 1;
        Ok(Some(entry.load(Relaxed) as usize))
    }

    fn wait(&mut self) -> Result<usize> {
        bail!("the floor is polled")
    }

    fn read(&mut self, &slot: &usize) -> Result<Seen> {
        Ok(self.shared.read(slot, self.bytes, read_all))
    }

    #[inline]
    fn release(&mut self, slot: usize) -> Result<()> {
        self.shared.word(COUNTS + slot).fetch_sub(1, AcqRel);
        Ok(())
    }
}
