//! The bare mechanisms: a word in shared memory that two processes agree on, three payload slots
//! in turn, and nothing else. Polled it is a cache line that travels, asleep a futex, by
//! descriptor an eventfd in an epoll instance. With payload it is two processes that copy and
//! read in step.

use super::{Consumer, Lane, Producer, SOON, Seen, Setup, Wait, read_all};
use crate::control::FREE_LINES;
use crate::shared::{Shared, inherited};
use anyhow::{Result, bail};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, read, write};
use rustix::thread::futex;
use rustix::time::Timespec;
use std::sync::atomic::Ordering::{Acquire, Release};

const WORD: usize = FREE_LINES;
const SLOTS: usize = 3;

pub struct Bare;

pub struct BareProducer {
    shared: &'static Shared,
    wait: Wait,
    bells: Vec<OwnedFd>,
    sequence: u32,
}

pub struct BareConsumer {
    shared: &'static Shared,
    bytes: usize,
    wait: Wait,
    epoll: Option<(OwnedFd, OwnedFd)>,
    sequence: u32,
}

impl Lane for Bare {
    type Producer = BareProducer;
    type Consumer = BareConsumer;

    fn producer(setup: &Setup, shared: &'static Shared) -> Result<BareProducer> {
        let bells = setup.eventfds.iter().map(|&fd| inherited(fd)).collect();
        Ok(BareProducer { shared, wait: setup.wait, bells, sequence: 0 })
    }

    fn consumer(setup: &Setup, shared: &'static Shared, index: usize) -> Result<BareConsumer> {
        let epoll = match setup.wait {
            Wait::Fd => Some(watch(inherited(setup.eventfds[index]))?),
            Wait::Poll | Wait::Sleep => None,
        };
        Ok(BareConsumer { shared, bytes: setup.bytes(), wait: setup.wait, epoll, sequence: 0 })
    }
}

fn watch(bell: OwnedFd) -> Result<(OwnedFd, OwnedFd)> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &bell, EventData::new_u64(0), EventFlags::IN)?;
    Ok((epoll, bell))
}

impl Producer for BareProducer {
    type Claim = ();

    #[inline]
    fn claim(&mut self) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn describe(&mut self, _claim: &mut (), _sequence: u64) {}

    #[inline]
    fn publish(&mut self, _claim: ()) -> Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let word = self.shared.futex(WORD);
        word.store(self.sequence, Release);
        match self.wait {
            Wait::Poll => {}
            Wait::Sleep => drop(futex::wake(word, futex::Flags::empty(), i32::MAX as u32)?),
            Wait::Fd => {
                for bell in &self.bells {
                    write(bell, &1u64.to_ne_bytes())?;
                }
            }
        }
        Ok(())
    }

    fn publish_copy(&mut self, source: &[u8]) -> Result<()> {
        let slot = self.sequence.wrapping_add(1) as usize % SLOTS;
        self.shared.fill(slot, source.len(), |bytes| bytes.copy_from_slice(source));
        self.publish(())
    }
}

impl Consumer for BareConsumer {
    /// The payload slot.
    type Held = usize;

    #[inline]
    fn poll(&mut self) -> Result<Option<usize>> {
        let next = self.sequence.wrapping_add(1);
        let news = self.shared.futex(WORD).load(Acquire).wrapping_sub(next) < u32::MAX / 2;
        if news {
            self.sequence = next;
        }
        Ok(news.then_some(next as usize % SLOTS))
    }

    #[inline]
    fn wait(&mut self) -> Result<usize> {
        loop {
            // As a bare event loop does it: an eventfd that was rung is read once.
            if self.wait == Wait::Fd {
                self.wait_for_bell()?;
            }
            if let Some(slot) = self.poll()? {
                return Ok(slot);
            }
            if self.wait == Wait::Sleep {
                self.sleep()?;
            }
        }
    }

    fn read(&mut self, &slot: &usize) -> Result<Seen> {
        Ok(self.shared.read(slot, self.bytes, read_all))
    }

    #[inline]
    fn release(&mut self, _slot: usize) -> Result<()> {
        Ok(())
    }
}

impl BareConsumer {
    fn sleep(&self) -> Result<()> {
        let limit = Timespec { tv_sec: SOON.as_secs() as i64, tv_nsec: 0 };
        let word = self.shared.futex(WORD);
        match futex::wait(word, futex::Flags::empty(), self.sequence, Some(&limit)) {
            Ok(()) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(errno) => bail!("futex wait: {errno}"),
        }
    }

    fn wait_for_bell(&self) -> Result<()> {
        let Some((epoll, bell)) = &self.epoll else { bail!("no eventfd") };
        let limit = Timespec { tv_sec: SOON.as_secs() as i64, tv_nsec: 0 };
        let mut events = [const { std::mem::MaybeUninit::<Event>::uninit() }; 8];
        let (events, _) = epoll::wait(epoll, &mut events, Some(&limit))?;
        if events.is_empty() {
            bail!("no eventfd rang in time");
        }
        read(bell, &mut [0; 8])?;
        Ok(())
    }
}
