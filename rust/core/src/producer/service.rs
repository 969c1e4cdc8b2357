//! The producer's background thread: admits consumers, notices their deaths, answers queries,
//! takes device frames back at their deadline. It never runs an owner, a callback or a log of a
//! binding, does bounded work for each peer, and takes no signals.

use super::admission::{Admission, PeerEvent};
use super::base::Served;
use super::name::NameHold;
use crate::clock::{monotonic_ns, timespec};
use crate::error::{Error, Result};
use crate::layout::ErrorKind;
use crate::wire::socket;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

const CONTROL: u64 = 0;
const LISTENER: u64 = 1;
const PIDFD: u64 = 1 << 32;
const SOCKET: u64 = 2 << 32;

/// How long a listener is left alone when the process has no descriptor left.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);
/// Connections taken before everybody else gets a turn.
const ACCEPTS: usize = 8;

/// Starts the thread; it ends when the lane is closed.
pub(crate) fn start(lane: Arc<dyn Served>, name: NameHold) -> Result<JoinHandle<()>> {
    let mut service = Service::new(lane, name)?;
    let thread_name = format!("fl-svc {}", service.lane.base().facts.name);
    crate::signals::spawn_without_signals(thread_name, move || service.run())
        .map_err(|error| Error::io("starting the service thread", error))
}

struct Service {
    lane: Arc<dyn Served>,
    name: NameHold,
    epoll: Poller,
    admission: Admission,
    /// When a listener that ran out of descriptors is polled again.
    listener_paused_until_ns: Option<u64>,
}

/// The epoll instance, with the keys above.
pub(crate) struct Poller(OwnedFd);

impl Poller {
    fn new() -> Result<Self> {
        epoll::create(epoll::CreateFlags::CLOEXEC)
            .map(Poller)
            .map_err(|errno| Error::system("epoll_create", errno))
    }

    fn watch(&self, fd: impl AsFd, key: u64) -> Result<()> {
        let flags = EventFlags::IN | EventFlags::RDHUP;
        epoll::add(&self.0, fd, EventData::new_u64(key), flags)
            .map_err(|errno| Error::system("epoll_ctl", errno))
    }

    pub(crate) fn watch_socket(&self, fd: impl AsFd, id: u32) -> Result<()> {
        self.watch(fd, SOCKET | u64::from(id))
    }

    pub(crate) fn watch_pidfd(&self, fd: impl AsFd, id: u32) -> Result<()> {
        self.watch(fd, PIDFD | u64::from(id))
    }

    /// A child of a fork may still hold the descriptor: closing ours would not end the watch.
    pub(crate) fn forget(&self, fd: impl AsFd) {
        let _ = epoll::delete(&self.0, fd);
    }
}

impl Service {
    fn new(lane: Arc<dyn Served>, name: NameHold) -> Result<Self> {
        let epoll = Poller::new()?;
        epoll.watch(&lane.base().control, CONTROL)?;
        epoll.watch(name.listener(), LISTENER)?;
        let admission = Admission::new(lane.clone());
        Ok(Service { lane, name, epoll, admission, listener_paused_until_ns: None })
    }

    fn run(&mut self) {
        let mut events = Vec::with_capacity(64);
        loop {
            let now = monotonic_ns();
            self.deadlines(now);
            let timeout = self.timeout(now);
            events.clear();
            let spare = rustix::buffer::spare_capacity(&mut events);
            match epoll::wait(&self.epoll.0, spare, timeout.map(timespec).as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => {
                    tracing::error!(%errno, lane = self.lane.base().facts.name, "epoll_wait");
                    return;
                }
            }
            for event in &events {
                self.handle(event);
            }
            if self.lane.has_closed() {
                self.admission.bye_all(
                    &self.epoll,
                    ErrorKind::Closed,
                    "the producer ended the lane",
                );
                return;
            }
        }
    }

    fn handle(&mut self, event: &Event) {
        let key = event.data.u64();
        let id = key as u32;
        match key & !u64::from(u32::MAX) {
            0 if key == CONTROL => {
                let _ = rustix::io::read(&self.lane.base().control, &mut [0; 8]);
            }
            0 => self.accept(),
            SOCKET => self.admission.peer(&self.epoll, id, PeerEvent::Readable),
            _ => self.admission.peer(&self.epoll, id, PeerEvent::Died),
        }
    }

    fn accept(&mut self) {
        use rustix::net::{SocketFlags, accept_with};
        for _ in 0..ACCEPTS {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            match accept_with(self.name.listener(), flags) {
                Ok(peer) => self.admission.connected(&self.epoll, peer),
                Err(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => {
                    // Level-triggered polling would spin until a descriptor is free.
                    self.epoll.forget(self.name.listener());
                    let pause = OUT_OF_DESCRIPTORS.as_nanos() as u64;
                    self.listener_paused_until_ns = Some(monotonic_ns() + pause);
                    return;
                }
                Err(_) => return,
            }
        }
    }

    fn deadlines(&mut self, now: u64) {
        if self.listener_paused_until_ns.is_some_and(|until| until <= now) {
            self.listener_paused_until_ns = None;
            let _ = self.epoll.watch(self.name.listener(), LISTENER);
        }
        self.admission.expire(&self.epoll, now);
        for (id, why) in self.lane.expire(now) {
            self.admission.bye(&self.epoll, id, ErrorKind::Protocol, &why);
        }
    }

    fn timeout(&self, now: u64) -> Option<Duration> {
        let due = self.lane.next_deadline_ns();
        let next = [due, self.admission.next_deadline_ns(), self.listener_paused_until_ns];
        let next = next.into_iter().flatten().min()?;
        Some(Duration::from_nanos(next.saturating_sub(now)))
    }
}

/// Sends a last message; a peer that does not read simply gets the hang-up.
pub(crate) fn say_bye(socket: impl AsFd, kind: ErrorKind, text: &str) {
    use zerocopy::IntoBytes;
    let mut bye: crate::layout::Bye = crate::wire::message::new();
    bye.kind = kind.number();
    crate::wire::message::put_text(&mut bye.text, text);
    let _ = socket::send(socket, bye.as_bytes());
}
