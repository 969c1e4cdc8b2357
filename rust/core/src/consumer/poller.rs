//! The one descriptor of a consumer handle: an epoll instance made once, whose contents follow
//! the connection. It outlives every re-attach.

use super::bell::ClientBell;
use super::tie::Tie;
use crate::clock::timespec;
use crate::error::{Error, Result};
use crate::wire::socket::{self, Received};
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::inotify;
use rustix::io::Errno;
use std::path::PathBuf;
use std::time::Duration;

const BELL: u64 = 1;
const CONNECTION: u64 = 2;
const PROCESS: u64 = 3;
const CLOSER: u64 = 4;
const PLACES: u64 = 5;
const RETRY: u64 = 6;

/// Pause between two looks for a producer, where no directory reports its arrival.
const RETRY_EVERY: Duration = Duration::from_millis(100);

/// What a look at the descriptors found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// The producer has gone.
    pub(crate) lost: bool,
    /// A signal ended the wait.
    pub(crate) interrupted: bool,
}

/// The epoll instance and what it watches while there is no producer.
pub(crate) struct Poller {
    epoll: OwnedFd,
    /// Present while detached.
    search: Option<(OwnedFd, OwnedFd)>,
}

impl Poller {
    pub(crate) fn new(closer: impl AsFd) -> Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)
            .map_err(|errno| Error::system("epoll_create", errno))?;
        let poller = Poller { epoll, search: None };
        poller.add(closer, CLOSER, EventFlags::IN)?;
        Ok(poller)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// Makes the descriptor readable once, whatever there is. `closer` is what `new` was given: an
    /// eventfd, which can always be written, and of which an edge-triggered watch reports that
    /// once.
    pub(crate) fn ring_once(&self, closer: impl AsFd) -> Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        epoll::modify(&self.epoll, closer, EventData::new_u64(CLOSER), flags)
            .map_err(|errno| Error::system("epoll_ctl", errno))
    }

    /// Watches a fresh attachment instead of the places.
    pub(crate) fn attached(&mut self, attachment: &Tie) -> Result<()> {
        if let Some((watches, timer)) = self.search.take() {
            // Closing them would not do where a child of a fork has them too.
            let _ = epoll::delete(&self.epoll, watches);
            let _ = epoll::delete(&self.epoll, timer);
        }
        if let ClientBell::Shared { eventfd } = &attachment.bell {
            // Edge-triggered, so that it never has to be read.
            self.add(eventfd, BELL, EventFlags::IN | EventFlags::ET)?;
        }
        self.add(&attachment.socket, CONNECTION, EventFlags::IN | EventFlags::RDHUP)?;
        if let Some(pidfd) = &attachment.pidfd {
            self.add(pidfd, PROCESS, EventFlags::IN)?;
        }
        Ok(())
    }

    /// Watches nothing of a lost attachment any more: its frames may keep its descriptors open.
    pub(crate) fn detached(&mut self, attachment: &Tie) {
        if let ClientBell::Shared { eventfd } = &attachment.bell {
            let _ = epoll::delete(&self.epoll, eventfd);
        }
        let _ = epoll::delete(&self.epoll, &attachment.socket);
        if let Some(pidfd) = &attachment.pidfd {
            let _ = epoll::delete(&self.epoll, pidfd);
        }
    }

    /// Watches the places where a producer would appear.
    pub(crate) fn search(&mut self, places: &[PathBuf]) -> Result<()> {
        use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags};
        if self.search.is_some() {
            return Ok(());
        }
        let watches = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)
            .map_err(|errno| Error::system("inotify_init", errno))?;
        let flags = inotify::WatchFlags::MOVED_TO | inotify::WatchFlags::CREATE;
        for place in places {
            // A place that is not there yet is looked at with every retry.
            let _ = inotify::add_watch(&watches, place, flags);
        }
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, flags)
            .map_err(|errno| Error::system("timerfd_create", errno))?;
        let every = timespec(RETRY_EVERY);
        let setting = Itimerspec { it_interval: every, it_value: every };
        rustix::time::timerfd_settime(&timer, TimerfdTimerFlags::empty(), &setting)
            .map_err(|errno| Error::system("timerfd_settime", errno))?;
        self.add(&watches, PLACES, EventFlags::IN | EventFlags::ET)?;
        self.add(&timer, RETRY, EventFlags::IN | EventFlags::ET)?;
        self.search = Some((watches, timer));
        Ok(())
    }

    /// Empties the bell and looks at the connection, without waiting. One system call, and one
    /// more where the bell is a packet.
    pub(crate) fn drain(&self, attachment: Option<&Tie>) -> Result<Seen> {
        self.look(attachment, Some(Duration::ZERO))
    }

    /// Waits up to `timeout` for anything to happen.
    pub(crate) fn wait(&self, attachment: Option<&Tie>, timeout: Duration) -> Result<Seen> {
        self.look(attachment, Some(timeout))
    }

    fn look(&self, attachment: Option<&Tie>, timeout: Option<Duration>) -> Result<Seen> {
        let mut room = [const { std::mem::MaybeUninit::<Event>::uninit() }; 8];
        let mut seen = Seen::default();
        let events = match epoll::wait(&self.epoll, &mut room, timeout.map(timespec).as_ref()) {
            Ok((events, _)) => &*events,
            Err(Errno::INTR) => {
                seen.interrupted = true;
                &[]
            }
            Err(errno) => return Err(Error::system("epoll_wait", errno)),
        };
        for event in events {
            match event.data.u64() {
                PROCESS => seen.lost = true,
                CONNECTION => {
                    let (flags, connection) = (event.flags, attachment);
                    let over = flags.intersects(EventFlags::HUP | EventFlags::RDHUP);
                    seen.lost |= over || connection.is_some_and(|a| !empty(&a.socket));
                }
                // Only a timer that is read goes on.
                RETRY => self.read_timer(),
                _ => {}
            }
        }
        Ok(seen)
    }

    fn read_timer(&self) {
        if let Some((_, timer)) = &self.search {
            let _ = rustix::io::read(timer, &mut [0; 8]);
        }
    }

    fn add(&self, fd: impl AsFd, key: u64, flags: EventFlags) -> Result<()> {
        epoll::add(&self.epoll, fd, EventData::new_u64(key), flags)
            .map_err(|errno| Error::system("epoll_ctl", errno))
    }
}

/// Takes one packet off the socket; whether the connection goes on. A ticket is answered with one
/// ring, so one packet is all there normally is; more make the descriptor readable once more.
pub(crate) fn empty(connection: &OwnedFd) -> bool {
    let mut packet = [0; 1024];
    match socket::receive(connection, &mut packet) {
        Ok(Received::Packet(1) | Received::Nothing) => true,
        // A Bye, or something that should not be here.
        Ok(Received::Packet(_) | Received::HungUp) | Err(_) => false,
    }
}
