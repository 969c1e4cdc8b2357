//! The writing side.

use super::lock::{self, Side};
use super::name::Place;
use super::options::SenderOptions;
use super::ring::PREFIX_BYTES;
use super::segment::{self, Segment};
use super::waiting::{RECEIVER, SENDER, Waiting, deadline};
use crate::error::{Error, Result, invalid};
use crate::failpoint::step;
use crate::fork;
use crate::layout::ErrorKind;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::{Duration, Instant};

/// Above this the counters are set back for a Python receiver, when the ring is empty.
const HIGH: u32 = 1 << 31;
/// Head and tail are set back so long after each other: a receiver that has loaded the old head
/// has then loaded the old tail, too.
const SETTING_BACK: Duration = Duration::from_millis(20);

/// Writes messages into a segment of its own. Used by one thread at a time.
pub struct Sender {
    place: Place,
    segment: Segment,
    head: u32,
    waiting: Waiting,
    keep: bool,
    python_receiver: bool,
    /// Since when the head is set back and the tail is not.
    setting_back: Option<Instant>,
    sent: u64,
    times_full: u64,
    generation: u64,
}

impl Sender {
    /// Makes the segment `name`, with or without a slash in front, in place of one that a dead
    /// sender has left.
    ///
    /// # Errors
    /// `InvalidName` for names that C++ peers would cut, `InvalidArgument` for a capacity out of
    /// range, `AlreadyExists` while another sender of ours has the name (an upstream one cannot be
    /// seen, and loses it), `OutOfMemory` when the memory is not there.
    pub fn create(name: &str, options: SenderOptions) -> Result<Self> {
        let place = Place::new(name, options.directory.as_deref())?;
        let segment = segment::make(&place, &options)?;
        let SenderOptions { waiting, keep, python_receiver, .. } = options;
        waiting.announce(&segment.ring, &SENDER);
        let generation = fork::generation();
        let (head, sent, times_full) = (0, 0, 0);
        Ok(Sender {
            place,
            segment,
            head,
            waiting,
            keep,
            python_receiver,
            setting_back: None,
            sent,
            times_full,
            generation,
        })
    }

    /// Bytes of the ring: the largest power of two that fits the wish.
    pub fn capacity_bytes(&self) -> usize {
        self.segment.ring.capacity() as usize
    }

    /// The longest message that the empty ring can take.
    pub fn longest_message(&self) -> usize {
        self.capacity_bytes() - PREFIX_BYTES as usize
    }

    /// Bytes that wait to be read, prefixes included.
    pub fn unread_bytes(&self) -> Result<usize> {
        self.used().map(|used| used as usize)
    }

    /// Messages sent.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// How often [`try_send`](Self::try_send) found the ring full.
    pub fn times_full(&self) -> u64 {
        self.times_full
    }

    /// Whether a receiver of ours is attached; upstream ones cannot be seen.
    pub fn has_receiver(&self) -> Result<bool> {
        lock::is_taken(&self.segment.fd, Side::Receiver)
    }

    /// Sends a message if the ring has room for it now; false, and nothing is written, if not.
    ///
    /// # Errors
    /// `TooLarge` for a message that the ring could never take, `InvalidArgument` for an empty one
    /// (upstream receivers stop at it for ever), `Protocol` when the receiver's counter is
    /// impossible, `Forked`.
    pub fn try_send(&mut self, message: &[u8]) -> Result<bool> {
        let sent = self.put(message)?;
        self.times_full += u64::from(!sent);
        Ok(sent)
    }

    /// Sends a message, waiting up to `timeout` for room; false if there was none.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    pub fn send(&mut self, message: &[u8], timeout: Duration) -> Result<bool> {
        let deadline = deadline(timeout);
        loop {
            let tail = self.segment.ring.tail().load(Acquire);
            if self.put(message)? {
                return Ok(true);
            }
            if !self.wait_for_other_tail(tail, deadline) {
                return Ok(false);
            }
        }
    }

    /// Waits up to `timeout` until everything sent has been read; whether it has.
    pub fn drain(&mut self, timeout: Duration) -> Result<bool> {
        let deadline = deadline(timeout);
        loop {
            let tail = self.segment.ring.tail().load(Acquire);
            if self.used()? == 0 {
                return Ok(true);
            }
            if !self.wait_for_other_tail(tail, deadline) {
                return Ok(false);
            }
        }
    }

    /// Ends the segment: the name goes unless it is to be kept, an attached receiver can still
    /// read what was sent.
    pub fn close(self) {
        drop(self);
    }

    fn used(&self) -> Result<u32> {
        if self.setting_back.is_some() {
            return Ok(0);
        }
        let ring = &self.segment.ring;
        // Edge FREED of the receiver: what it has read may be overwritten.
        let tail = ring.tail().load(Acquire);
        ring.used(self.head, tail).ok_or_else(|| ring.damaged(self.head, tail))
    }

    fn put(&mut self, message: &[u8]) -> Result<bool> {
        let needed = self.needed(message)?;
        let used = self.used()?;
        if self.python_receiver && used == 0 && self.head > HIGH {
            self.set_back();
        }
        let too_high = self.python_receiver && self.head.checked_add(needed).is_none();
        if !self.is_set_back() || needed > self.segment.ring.capacity() - used || too_high {
            return Ok(false);
        }
        let ring = &self.segment.ring;
        let length = needed - PREFIX_BYTES;
        ring.put(self.head, &length.to_le_bytes());
        step("shmbuf-send.prefix");
        ring.put(self.head.wrapping_add(PREFIX_BYTES), message);
        step("shmbuf-send.copied");
        self.head = self.head.wrapping_add(needed);
        ring.head().store(self.head, Release);
        step("shmbuf-send.stored");
        self.waiting.ring(ring, ring.head(), &RECEIVER);
        step("shmbuf-send.rung");
        self.sent += 1;
        Ok(true)
    }

    /// Bytes that a message takes in the ring.
    fn needed(&self, message: &[u8]) -> Result<u32> {
        if fork::is_foreign(self.generation) {
            let text = "this sender belongs to the parent process: make one in this process";
            return Err(Error::new(ErrorKind::Forked, text));
        }
        if message.is_empty() {
            return Err(invalid("a message of 0 bytes would stop upstream receivers for ever"));
        }
        if message.len() > self.longest_message() {
            let text = format!(
                "{} bytes into a ring of {}, which takes messages of up to {}",
                message.len(),
                self.capacity_bytes(),
                self.longest_message()
            );
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        Ok(PREFIX_BYTES + message.len() as u32)
    }

    /// Head first: the receiver then sees less than nothing for a moment, and waits.
    fn set_back(&mut self) {
        self.head = 0;
        self.segment.ring.head().store(0, Release);
        self.setting_back = Some(Instant::now());
        step("shmbuf-send.head");
    }

    /// Whether both counters are where they belong.
    fn is_set_back(&mut self) -> bool {
        match self.setting_back {
            Some(since) if since.elapsed() < SETTING_BACK => false,
            Some(_) => {
                self.segment.ring.tail().store(0, Release);
                self.setting_back = None;
                true
            }
            None => true,
        }
    }

    /// False at the deadline.
    fn wait_for_other_tail(&self, seen: u32, deadline: Instant) -> bool {
        if Instant::now() >= deadline {
            return false;
        }
        let ring = &self.segment.ring;
        self.waiting.sleep(ring, (ring.tail(), seen), (&SENDER, &RECEIVER), deadline);
        true
    }

    /// An empty message, as an upstream sender may write it.
    #[cfg(test)]
    pub(super) fn send_empty(&mut self) {
        self.segment.ring.put(self.head, &[0; PREFIX_BYTES as usize]);
        self.head = self.head.wrapping_add(PREFIX_BYTES);
        self.segment.ring.head().store(self.head, Release);
    }

    #[cfg(test)]
    pub(super) fn counters(&self) -> (u32, u32) {
        (self.head, self.segment.ring.tail().load(Acquire))
    }

    /// Pretends that so many bytes have passed already, for tests.
    #[cfg(any(test, feature = "failpoints"))]
    #[doc(hidden)]
    pub fn start_at(&mut self, counter: u32) {
        self.segment.ring.tail().store(counter, Release);
        self.segment.ring.head().store(counter, Release);
        self.head = counter;
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if fork::is_foreign(self.generation) {
            return;
        }
        self.waiting.leave(&self.segment.ring, &SENDER);
        if !self.keep
            && let Err(error) = self.place.take_from(&self.segment.fd)
        {
            tracing::warn!("{error}");
        }
        lock::give_back(&self.segment.fd, Side::Sender);
    }
}
