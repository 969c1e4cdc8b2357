//! Flow between the processes of a contest, the same for every mechanism: a consumer acknowledges
//! each frame, a producer waits for it, spinning or asleep. Times go to logs that the parent joins.

use crate::shared::{MAX_CONSUMERS, Shared};
use anyhow::Result;
use rustix::io::Errno;
use rustix::thread::futex;
use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// Cache lines of the shared memory. The rest is for mechanisms.
const ACKS: usize = 0;
const PRODUCER_WAITS: usize = 4;
const BELL: usize = 5;
const CPU: usize = 6;
/// First line that a mechanism may use.
pub const FREE_LINES: usize = 8;

/// CLOCK_MONOTONIC in nanoseconds.
#[inline(always)]
pub fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// CPU time of this process in nanoseconds.
pub fn cpu_time() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// How a producer waits for acknowledgements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    Spin,
    Sleep,
}

/// One side's view of the flow.
pub struct Flow<'a> {
    shared: &'a Shared,
    consumers: usize,
    patience: Patience,
}

impl<'a> Flow<'a> {
    pub fn new(shared: &'a Shared, consumers: usize, patience: Patience) -> Self {
        assert!(consumers <= MAX_CONSUMERS);
        Flow { shared, consumers, patience }
    }

    /// Forgets what an earlier batch left. The parent does it between batches.
    pub fn reset(shared: &Shared) {
        (0..MAX_CONSUMERS).for_each(|c| shared.word(ACKS + c).store(0, SeqCst));
    }

    /// Consumer: `count` frames of this batch are done with.
    #[inline]
    pub fn acknowledge(&self, consumer: usize, count: u64) {
        let ack = self.shared.word(ACKS + consumer);
        if self.patience == Patience::Spin {
            return ack.store(count, Release);
        }
        ack.store(count, SeqCst);
        if self.shared.word(PRODUCER_WAITS).load(SeqCst) != 0 {
            let bell = self.shared.futex(BELL);
            bell.fetch_add(1, SeqCst);
            let _ = futex::wake(bell, futex::Flags::empty(), 1);
        }
    }

    /// Producer: waits until every consumer has done with `count` frames.
    #[inline]
    pub fn wait_for(&self, count: u64) -> Result<()> {
        while !self.reached(count) {
            match self.patience {
                Patience::Spin => std::hint::spin_loop(),
                Patience::Sleep => self.sleep(count)?,
            }
        }
        Ok(())
    }

    fn reached(&self, count: u64) -> bool {
        (0..self.consumers).all(|c| self.shared.word(ACKS + c).load(Acquire) >= count)
    }

    fn sleep(&self, count: u64) -> Result<()> {
        let bell = self.shared.futex(BELL);
        self.shared.word(PRODUCER_WAITS).store(1, SeqCst);
        let before = bell.load(SeqCst);
        if !self.reached(count) {
            match futex::wait(bell, futex::Flags::empty(), before, None) {
                Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        self.shared.word(PRODUCER_WAITS).store(0, Relaxed);
        Ok(())
    }
}

/// Times that a batch leaves for the parent. Log 0 is the producer's, 1 + c consumer c's.
pub struct Log<'a>(pub &'a Shared);

impl Log<'_> {
    #[inline(always)]
    pub fn sent(&self, index: usize, ns: u64) {
        self.0.log(0, index).store(ns, Relaxed);
    }

    #[inline(always)]
    pub fn seen(&self, consumer: usize, index: usize, ns: u64) {
        self.0.log(1 + consumer, index).store(ns, Relaxed);
    }

    /// CPU time a role spent on a batch; role 0 is the producer.
    pub fn cpu(&self, role: usize, ns: u64) {
        self.0.word_in(CPU, role).store(ns, Relaxed);
    }

    pub fn cpu_of(&self, role: usize) -> u64 {
        self.0.word_in(CPU, role).load(Acquire)
    }

    pub fn sent_at(&self, index: usize) -> u64 {
        self.0.log(0, index).load(Acquire)
    }

    pub fn seen_at(&self, consumer: usize, index: usize) -> u64 {
        self.0.log(1 + consumer, index).load(Acquire)
    }
}
