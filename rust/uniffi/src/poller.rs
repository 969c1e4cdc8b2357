//! Waiting for many readers on one thread, so that coroutines need none of their own.

use crate::consumer::Consumer;
use crate::failure::{Failure, Result};
use crate::handle::{Handle, Side};
use crate::stream_reader::StreamReader;
use crate::switch::Switch;
use framelane::{Error, ErrorKind};
use rustix::event::Timespec;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::sync::Arc;

/// Says which of several readers may have something. One thread waits, any may add.
#[derive(uniffi::Object)]
pub struct Poller {
    epoll: OwnedFd,
}

fn failed(what: &str) -> impl Fn(Errno) -> Failure {
    move |errno| Error::new(ErrorKind::System, format!("{what}: {errno}")).into()
}

impl Poller {
    fn watch<S: Side>(&self, handle: &Handle<S>, token: u64) -> Result<()> {
        let descriptor = handle.descriptor()?;
        let (data, flags) = (EventData::new_u64(token), EventFlags::IN | EventFlags::ONESHOT);
        match epoll::add(&self.epoll, &descriptor, data, flags) {
            Err(Errno::EXIST) => epoll::modify(&self.epoll, &descriptor, data, flags),
            added => added,
        }
        .map_err(failed("epoll_ctl"))
    }
}

#[uniffi::export]
impl Poller {
    /// One that watches nothing yet.
    #[uniffi::constructor]
    pub fn create() -> Result<Arc<Self>> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(failed("epoll_create"))?;
        Ok(Arc::new(Poller { epoll }))
    }

    /// Tells once, with this token, when there may be a frame. To be asked for after a look that
    /// found nothing.
    pub fn watch_consumer(&self, consumer: Arc<Consumer>, token: u64) -> Result<()> {
        self.watch(&consumer.0, token)
    }

    /// The same of a switch.
    pub fn watch_switch(&self, switch: Arc<Switch>, token: u64) -> Result<()> {
        self.watch(&switch.0, token)
    }

    /// The same of a stream.
    pub fn watch_stream(&self, reader: Arc<StreamReader>, token: u64) -> Result<()> {
        self.watch(&reader.0, token)
    }

    /// Tokens of those that may have something, none when the time is over.
    pub fn wait(&self, timeout_ns: u64) -> Result<Vec<u64>> {
        let timeout = Timespec {
            tv_sec: (timeout_ns / 1_000_000_000) as i64,
            tv_nsec: (timeout_ns % 1_000_000_000) as _,
        };
        let mut room: Vec<Event> = Vec::with_capacity(64);
        let filled =
            epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut room), Some(&timeout));
        match filled {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(failed("epoll_wait")(errno)),
        }
        Ok(room.iter().map(|event| event.data.u64()).collect())
    }
}
