//! The reading side.

use super::lock::{self, Side};
use super::name::Place;
use super::options::ReceiverOptions;
use super::ring::{PREFIX_BYTES, Ring};
use super::segment::{self, Found, Segment};
use super::waiting::{RECEIVER, SENDER, Waiting, deadline};
use crate::error::{Error, Result, protocol};
use crate::failpoint::step;
use crate::fork;
use crate::layout::ErrorKind;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

/// How often a receiver without a message looks whether the name means another segment by now.
const LOOK_AT_NAME: Duration = Duration::from_millis(50);
/// Between two looks for a segment that is not there.
const LOOK_FOR_SEGMENT: Duration = Duration::from_millis(5);
/// How long a sender may be in the middle of setting its counters back.
const SETTING_BACK: Duration = Duration::from_secs(1);
/// Empty messages stepped over in one go.
const EMPTY_AT_ONCE: usize = 1024;

/// Reads the messages of a segment. Used by one thread at a time.
pub struct Receiver {
    place: Place,
    segment: Segment,
    waiting: Waiting,
    reattach: bool,
    /// A sender of ours has been seen, whose end can therefore be seen, too.
    had_sender: bool,
    /// Since when the counters have looked as if they were being set back.
    setting_back: Option<Instant>,
    /// When to look at the name again.
    look: Instant,
    received: u64,
    empty: u64,
    restarts: u64,
    generation: u64,
}

impl Receiver {
    /// Attaches to the segment `name`, with or without a slash in front.
    ///
    /// # Errors
    /// `InvalidName`; within the time to wait none of: a segment (`NotFound`), its header
    /// (`TimedOut`), a segment that no other receiver of ours reads (`TooMany`); `Protocol` for
    /// one that is no ring; `PermissionDenied`: a receiver needs to write, too.
    pub fn open(name: &str, options: ReceiverOptions) -> Result<Self> {
        let place = Place::new(name, options.directory.as_deref())?;
        let deadline = deadline(options.wait_for_sender);
        let segment = loop {
            match segment::attach(&place)? {
                Found::Segment(segment) => break segment,
                Found::NotYet(why) if Instant::now() >= deadline => return Err(why),
                Found::NotYet(_) => std::thread::sleep(LOOK_FOR_SEGMENT),
            }
        };
        options.waiting.announce(&segment.ring, &RECEIVER);
        let had_sender = lock::is_taken(&segment.fd, Side::Sender)?;
        Ok(Receiver {
            place,
            segment,
            waiting: options.waiting,
            reattach: options.reattach,
            had_sender,
            setting_back: None,
            look: Instant::now(),
            received: 0,
            empty: 0,
            restarts: 0,
            generation: fork::generation(),
        })
    }

    /// Bytes of the ring.
    pub fn capacity_bytes(&self) -> usize {
        self.ring().capacity() as usize
    }

    /// Messages received.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Empty messages that were stepped over; ours never send one.
    pub fn empty(&self) -> u64 {
        self.empty
    }

    /// How often another segment was found at the name: the sender had been restarted.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Size of the next message, if there is one now.
    ///
    /// # Errors
    /// `Protocol` when the segment says something impossible, `Forked`; `Disconnected` when the
    /// sender is gone and everything is read, where re-attaching is off.
    pub fn next_bytes(&mut self) -> Result<Option<usize>> {
        Ok(self.find()?.map(|(_, length)| length as usize))
    }

    /// Waits up to `timeout` for a message; its size.
    ///
    /// # Errors
    /// As [`next_bytes`](Self::next_bytes).
    pub fn wait(&mut self, timeout: Duration) -> Result<Option<usize>> {
        let deadline = deadline(timeout);
        loop {
            let (segment, head) = (self.restarts, self.ring().head().load(Acquire));
            if let Some((_, length)) = self.find()? {
                return Ok(Some(length as usize));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            if self.restarts == segment {
                let ring = self.ring();
                self.waiting.sleep(ring, (ring.head(), head), (&RECEIVER, &SENDER), deadline);
            }
        }
    }

    /// Receives into `message`, whose contents are replaced, if there is a message now.
    ///
    /// # Errors
    /// As [`next_bytes`](Self::next_bytes).
    pub fn try_recv(&mut self, message: &mut Vec<u8>) -> Result<bool> {
        let Some((tail, length)) = self.find()? else { return Ok(false) };
        message.resize(length as usize, 0);
        self.take(tail, message);
        Ok(true)
    }

    /// Receives into `message`, whose contents are replaced, waiting up to `timeout`; false if
    /// there was none.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn recv(&mut self, message: &mut Vec<u8>, timeout: Duration) -> Result<bool> {
        Ok(self.wait(timeout)?.is_some() && self.try_recv(message)?)
    }

    /// Receives into memory of the caller's, if there is a message now; its size.
    ///
    /// # Errors
    /// As [`next_bytes`](Self::next_bytes); `TooLarge` when it does not fit, and it stays where it
    /// is, to be received elsewhere or [skipped](Self::skip).
    pub fn try_recv_into(&mut self, into: &mut [u8]) -> Result<Option<usize>> {
        let Some((tail, length)) = self.find()? else { return Ok(None) };
        let length = length as usize;
        let Some(exactly) = into.get_mut(..length) else {
            let text = format!("a message of {length} bytes into room for {}", into.len());
            return Err(Error::new(ErrorKind::TooLarge, text));
        };
        self.take(tail, exactly);
        Ok(Some(length))
    }

    /// Drops the next message unread; false if there is none.
    ///
    /// # Errors
    /// As [`next_bytes`](Self::next_bytes).
    pub fn skip(&mut self) -> Result<bool> {
        let Some((tail, length)) = self.find()? else { return Ok(false) };
        self.free(tail.wrapping_add(PREFIX_BYTES + length));
        Ok(true)
    }

    fn ring(&self) -> &Ring {
        &self.segment.ring
    }

    /// The next message; where there is none, that of the segment that has the name by now.
    fn find(&mut self) -> Result<Option<(u32, u32)>> {
        if fork::is_foreign(self.generation) {
            let text = "this receiver belongs to the parent process: open one in this process";
            return Err(Error::new(ErrorKind::Forked, text));
        }
        let found = self.next();
        if matches!(found, Ok(Some(_))) {
            return found;
        }
        let now = Instant::now();
        if now >= self.look || found.is_err() {
            self.look = now + LOOK_AT_NAME;
            if self.renew()? {
                return self.next();
            }
        }
        found
    }

    /// Where the next message begins, and its length. All that the other side has written is
    /// checked before it is used.
    fn next(&mut self) -> Result<Option<(u32, u32)>> {
        for _ in 0..EMPTY_AT_ONCE {
            let ring = &self.segment.ring;
            // Edge SENT of the sender: up to here its bytes are whole.
            let head = ring.head().load(Acquire);
            let tail = ring.tail().load(Relaxed);
            let Some(used) = ring.used(head, tail) else {
                if ring.head().load(Acquire) != head {
                    continue; // set back just now
                }
                return self.perhaps_set_back(head, tail);
            };
            self.setting_back = None;
            if used == 0 {
                return Ok(None);
            }
            if used < PREFIX_BYTES {
                return Err(ring.damaged(head, tail));
            }
            let mut prefix = [0; PREFIX_BYTES as usize];
            ring.get(tail, &mut prefix);
            let length = u32::from_le_bytes(prefix);
            if u64::from(length) + u64::from(PREFIX_BYTES) > u64::from(used) {
                let text = format!("a shmbuf message of {length} bytes among {used} unread ones");
                return Err(protocol(text));
            }
            if length > 0 {
                return Ok(Some((tail, length)));
            }
            self.empty += 1;
            self.free(tail.wrapping_add(PREFIX_BYTES));
        }
        Ok(None)
    }

    /// A sender that sets its counters back stores the head first: nothing, for a moment.
    fn perhaps_set_back(&mut self, head: u32, tail: u32) -> Result<Option<(u32, u32)>> {
        let since = *self.setting_back.get_or_insert_with(Instant::now);
        if head == 0 && since.elapsed() < SETTING_BACK {
            return Ok(None);
        }
        Err(self.ring().damaged(head, tail))
    }

    fn take(&mut self, tail: u32, into: &mut [u8]) {
        self.ring().get(tail.wrapping_add(PREFIX_BYTES), into);
        step("shmbuf-recv.copied");
        self.received += 1;
        self.free(tail.wrapping_add(PREFIX_BYTES + into.len() as u32));
    }

    fn free(&mut self, tail: u32) {
        let ring = self.ring();
        // Edge FREED to the sender: everything before is read.
        ring.tail().store(tail, Release);
        step("shmbuf-recv.stored");
        self.waiting.ring(ring, ring.tail(), &SENDER);
        step("shmbuf-recv.rung");
    }

    /// Moves on to the segment that has the name now, once this one is read; where re-attaching is
    /// off, that is the end.
    fn renew(&mut self) -> Result<bool> {
        let now = self.place.identity();
        let is_replaced = now.is_some_and(|now| now != self.segment.identity);
        if !self.reattach {
            return self.refuse_after_end(is_replaced).map(|()| false);
        }
        // One that cannot be read, or not yet, is none.
        if is_replaced
            && let Ok(Found::Segment(new)) = segment::attach(&self.place)
            && !matches!(self.next(), Ok(Some(_)))
        {
            self.waiting.leave(self.ring(), &RECEIVER);
            self.waiting.announce(&new.ring, &RECEIVER);
            self.segment = new;
            self.restarts += 1;
            return Ok(true);
        }
        Ok(false)
    }

    /// Refuses to go on once the sender is gone, or its segment was replaced, and all is read.
    fn refuse_after_end(&mut self, is_replaced: bool) -> Result<()> {
        let has_sender = lock::is_taken(&self.segment.fd, Side::Sender)?;
        self.had_sender |= has_sender;
        let has_ended = is_replaced || (self.had_sender && !has_sender);
        if has_ended && !matches!(self.next(), Ok(Some(_))) {
            let text = format!("the sender of shmbuf {} is gone", self.place.name());
            return Err(Error::new(ErrorKind::Disconnected, text));
        }
        Ok(())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if !fork::is_foreign(self.generation) {
            self.waiting.leave(self.ring(), &RECEIVER);
            lock::give_back(&self.segment.fd, Side::Receiver);
        }
    }
}
