//! Both sides of a shmbuf ring.
#![allow(unsafe_code, reason = "handles come back as pointers")]

use crate::bridge::ffi::Found;
use crate::status::{enter, make, place, text};
use crate::types::{ShmbufReceiverOptions, ShmbufSenderOptions};
use framelane::Result;
use framelane::shmbuf::{self, Receiver, Sender};
use std::time::Duration;

const NAME: &str = "the segment's name";

pub struct ShmbufSender(Sender);

pub struct ShmbufReceiver(Receiver);

pub fn create_shmbuf(name: &[u8], options: &ShmbufSenderOptions) -> *mut ShmbufSender {
    make(|| {
        let options = framelane_ffi::shmbuf_sender_options(&options.0)?;
        Ok(ShmbufSender(Sender::create(text(name, NAME)?, options)?))
    })
}

/// # Safety
/// A pointer that `create_shmbuf` returned and that was not dropped before.
pub unsafe fn drop_shmbuf_sender(sender: *mut ShmbufSender) {
    enter(|| {
        // SAFETY: the caller's promise; `make` boxed it.
        drop(unsafe { Box::from_raw(sender) });
        Ok(())
    });
}

pub fn open_shmbuf(name: &[u8], options: &ShmbufReceiverOptions) -> *mut ShmbufReceiver {
    make(|| {
        let options = framelane_ffi::shmbuf_receiver_options(&options.0)?;
        Ok(ShmbufReceiver(Receiver::open(text(name, NAME)?, options)?))
    })
}

/// # Safety
/// A pointer that `open_shmbuf` returned and that was not dropped before.
pub unsafe fn drop_shmbuf_receiver(receiver: *mut ShmbufReceiver) {
    enter(|| {
        // SAFETY: the caller's promise; `make` boxed it.
        drop(unsafe { Box::from_raw(receiver) });
        Ok(())
    });
}

pub fn remove_shmbuf(name: &[u8], directory: &[u8], removed: &mut bool) -> u32 {
    into(removed, || shmbuf::remove(text(name, NAME)?, place(directory)))
}

fn into<T>(out: &mut T, ask: impl FnOnce() -> Result<T>) -> u32 {
    enter(|| {
        *out = ask()?;
        Ok(())
    })
}

impl ShmbufSender {
    pub fn send(&mut self, message: &[u8], timeout_ns: u64, sent: &mut bool) -> u32 {
        into(sent, || match timeout_ns {
            0 => self.0.try_send(message),
            time => self.0.send(message, Duration::from_nanos(time)),
        })
    }

    pub fn drain(&mut self, timeout_ns: u64, drained: &mut bool) -> u32 {
        into(drained, || self.0.drain(Duration::from_nanos(timeout_ns)))
    }

    pub fn unread(&self, bytes: &mut usize) -> u32 {
        into(bytes, || self.0.unread_bytes())
    }

    pub fn has_receiver(&self, attached: &mut bool) -> u32 {
        into(attached, || self.0.has_receiver())
    }

    pub fn capacity(&self) -> usize {
        self.0.capacity_bytes()
    }

    pub fn longest_message(&self) -> usize {
        self.0.longest_message()
    }

    pub fn sent(&self) -> u64 {
        self.0.sent()
    }

    pub fn times_full(&self) -> u64 {
        self.0.times_full()
    }
}

impl Found {
    fn of(size: Option<usize>) -> Self {
        Found { size_bytes: size.unwrap_or(0), there: size.is_some() }
    }
}

impl ShmbufReceiver {
    pub fn wait(&mut self, timeout_ns: u64, found: &mut Found) -> u32 {
        into(found, || {
            let size = match timeout_ns {
                0 => self.0.next_bytes()?,
                time => self.0.wait(Duration::from_nanos(time))?,
            };
            Ok(Found::of(size))
        })
    }

    pub fn recv(&mut self, room: &mut [u8], found: &mut Found) -> u32 {
        into(found, || self.0.try_recv_into(room).map(Found::of))
    }

    pub fn skip(&mut self, skipped: &mut bool) -> u32 {
        into(skipped, || self.0.skip())
    }

    pub fn capacity(&self) -> usize {
        self.0.capacity_bytes()
    }

    pub fn received(&self) -> u64 {
        self.0.received()
    }

    pub fn empty(&self) -> u64 {
        self.0.empty()
    }

    pub fn restarts(&self) -> u64 {
        self.0.restarts()
    }
}
