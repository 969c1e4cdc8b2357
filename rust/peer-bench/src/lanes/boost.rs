//! Boost.Interprocess message_queue, one for each consumer: every message is copied in and out
//! again. Built only where Boost's headers are.
#![allow(unsafe_code, reason = "calls of the C++ shim")]

use super::{Consumer, Lane, Producer, SOON, Seen, Setup, Wait, read_all};
use crate::shared::Shared;
use anyhow::{Result, bail, ensure};
use std::ffi::{CString, c_char, c_uint, c_void};
use std::ptr::NonNull;
use std::time::Instant;

/// Messages a queue holds: as many as may be unread.
const DEPTH: usize = 2;

unsafe extern "C" {
    fn bench_queue_create(name: *const c_char, depth: usize, bytes: usize) -> *mut c_void;
    fn bench_queue_open(name: *const c_char) -> *mut c_void;
    fn bench_queue_send(queue: *mut c_void, bytes: *const c_void, size: usize, ms: c_uint) -> bool;
    fn bench_queue_receive(
        queue: *mut c_void,
        bytes: *mut c_void,
        size: usize,
        ms: c_uint,
    ) -> usize;
    fn bench_queue_close(queue: *mut c_void);
    fn bench_queue_remove(name: *const c_char);
}

pub struct Boost;

struct Queue {
    queue: NonNull<c_void>,
    /// Removed when its maker ends.
    own_name: Option<CString>,
}

impl Queue {
    fn create(setup: &Setup, index: usize) -> Result<Self> {
        let name = name(setup, index)?;
        // SAFETY: the name ends with 0 and outlives the call.
        let queue = unsafe { bench_queue_create(name.as_ptr(), DEPTH, setup.bytes()) };
        match NonNull::new(queue) {
            Some(queue) => Ok(Queue { queue, own_name: Some(name) }),
            None => bail!("Boost cannot make a queue of {} bytes a message", setup.bytes()),
        }
    }

    fn open(setup: &Setup, index: usize) -> Result<Self> {
        let name = name(setup, index)?;
        let start = Instant::now();
        while start.elapsed() < SOON {
            // SAFETY: the name ends with 0 and outlives the call.
            let queue = unsafe { bench_queue_open(name.as_ptr()) };
            if let Some(queue) = NonNull::new(queue) {
                return Ok(Queue { queue, own_name: None });
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        bail!("there is no queue {name:?}")
    }

    fn send(&self, bytes: &[u8]) -> bool {
        let ms = SOON.as_millis() as c_uint;
        // SAFETY: the queue is open until this is dropped; the bytes outlive the call.
        unsafe { bench_queue_send(self.queue.as_ptr(), bytes.as_ptr().cast(), bytes.len(), ms) }
    }

    fn receive(&self, into: &mut [u8]) -> usize {
        let (ms, at) = (SOON.as_millis() as c_uint, into.as_mut_ptr().cast());
        // SAFETY: the queue is open until this is dropped; it writes no more than the size given.
        unsafe { bench_queue_receive(self.queue.as_ptr(), at, into.len(), ms) }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: made by the shim, and nobody uses it after this.
        unsafe { bench_queue_close(self.queue.as_ptr()) };
        if let Some(name) = &self.own_name {
            // SAFETY: the name ends with 0 and outlives the call.
            unsafe { bench_queue_remove(name.as_ptr()) };
        }
    }
}

fn name(setup: &Setup, index: usize) -> Result<CString> {
    Ok(CString::new(format!("{}-{index}", setup.name))?)
}

pub struct Sender {
    queues: Vec<Queue>,
    frame: Vec<u8>,
}

pub struct Receiver {
    queue: Queue,
    frame: Vec<u8>,
}

impl Lane for Boost {
    type Producer = Sender;
    type Consumer = Receiver;

    fn producer(setup: &Setup, _: &'static Shared) -> Result<Sender> {
        ensure!(setup.wait == Wait::Sleep, "the queue blocks");
        let queues = (0..setup.consumers).map(|index| Queue::create(setup, index));
        Ok(Sender { queues: queues.collect::<Result<_>>()?, frame: vec![1; setup.bytes()] })
    }

    fn consumer(setup: &Setup, _: &'static Shared, index: usize) -> Result<Receiver> {
        Ok(Receiver { queue: Queue::open(setup, index)?, frame: vec![1; setup.bytes()] })
    }
}

impl Producer for Sender {
    type Claim = ();

    fn claim(&mut self) -> Result<()> {
        Ok(())
    }

    fn describe(&mut self, _claim: &mut (), sequence: u64) {
        self.frame[..8].copy_from_slice(&sequence.to_ne_bytes());
    }

    fn publish(&mut self, _claim: ()) -> Result<()> {
        ensure!(self.queues.iter().all(|queue| queue.send(&self.frame)), "not sent in time");
        Ok(())
    }

    fn publish_copy(&mut self, source: &[u8]) -> Result<()> {
        ensure!(self.queues.iter().all(|queue| queue.send(source)), "not sent in time");
        Ok(())
    }
}

impl Consumer for Receiver {
    type Held = ();

    fn poll(&mut self) -> Result<Option<()>> {
        bail!("the queue blocks")
    }

    fn wait(&mut self) -> Result<()> {
        let received = self.queue.receive(&mut self.frame);
        ensure!(received == self.frame.len(), "{received} bytes came");
        Ok(())
    }

    fn read(&mut self, _held: &()) -> Result<Seen> {
        Ok(read_all(&self.frame))
    }

    fn release(&mut self, _held: ()) -> Result<()> {
        Ok(())
    }
}
