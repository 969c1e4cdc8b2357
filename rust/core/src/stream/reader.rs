//! The reader of a stream lane.

use super::attach::StreamAttachment;
use super::info::StreamInfo;
use super::options::StreamReaderOptions;
use super::record::{Bytes, InPlace, Record};
use super::spare::Spares;
use crate::clock::{Deadline, monotonic_ns};
use crate::consumer::{Closer, Link, Manner, Parcel, Reading, Reattach, Waiting, Wish};
use crate::error::{Error, Result, invalid, protocol};
use crate::layout::{BellByte, ErrorKind, Mode, RecordInfo, StreamConfig, StreamStart, Welcome};
use crate::ring::stream::reader as ring;
use crate::ring::stream::track::{AfterLap, Step, Track};
use crate::ring::words::PageWords;
use rustix::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

type Epoch = Arc<StreamAttachment>;

/// Reads one stream lane, record after record.
///
/// Can be sent to another thread, but is used by one at a time; [`Closer`] works from any. When
/// its writer is restarted it attaches to the new one by itself, begins with the oldest key record
/// there, and the record says so.
pub struct StreamReader {
    link: Link<Epoch>,
    lossless: bool,
    start: StreamStart,
    start_age_ns: u64,
    track: Track,
    /// Config of the record delivered last, and the epoch it comes from.
    config: Option<(u64, Arc<StreamConfig>)>,
    /// Attached before: the next epoch is read from its beginning.
    again: bool,
    received: u64,
    missed: u64,
    spares: Arc<Spares>,
}

impl StreamReader {
    /// Attaches to the stream lane `name`.
    ///
    /// # Errors
    /// `InvalidName`, `InvalidArgument`; `NotFound` with the places searched when no writer came in
    /// time; `TimedOut` when one is there and does not answer; `PermissionDenied`; what the writer
    /// refuses with: `LayoutMismatch`, `Unsupported` for a frame lane, or a lossless reader where
    /// none is admitted, and `TooMany` when it did so until the end of the time.
    pub fn open(name: &str, options: StreamReaderOptions) -> Result<StreamReader> {
        let after_lap = match options.after_lap {
            StreamStart::NewestKey => AfterLap::NewestKey,
            StreamStart::OldestKey => AfterLap::OldestKey,
            other => {
                let name = other.name();
                return Err(invalid(format!("{name} is no place to go on after being overtaken")));
            }
        };
        let start_age_ns = u64::try_from(options.start_age.as_nanos()).unwrap_or(u64::MAX);
        let mode = if options.lossless { Mode::Lossless } else { Mode::Ordered };
        let stream = Some((options.start, start_age_ns));
        let wish = Wish { mode, leases: 0, wants_writable: false, stream, switch: false };
        let StreamReaderOptions { reattach, return_on_signal, .. } = options;
        let manner = Manner { reattach, return_on_signal };
        let deadline = Deadline::after(options.wait_for_lane);
        let mut reader = StreamReader {
            link: Link::new(name, options.directory, wish, manner)?,
            lossless: options.lossless,
            start: options.start,
            start_age_ns,
            track: Track::new(1, false, after_lap),
            config: None,
            again: false,
            received: 0,
            missed: 0,
            spares: Arc::default(),
        };
        reader.attach_first(deadline)?;
        Ok(reader)
    }

    /// The next record, if there is one now. After None the descriptor of [`fd`](Self::fd) is
    /// drained and armed.
    ///
    /// # Errors
    /// `Lapped` when records were overwritten before they were read: [`Error::missed`] says how
    /// many, and the next call goes on at the key record that was chosen. `Closed`; `Disconnected`
    /// without re-attaching; `OldEpochsHeld`; `Protocol` for impossible lane contents; `Forked`;
    /// and when re-attaching, what the new writer refuses with.
    pub fn try_next(&mut self) -> Result<Option<Record>> {
        if let Some(record) = self.take()? {
            return Ok(Some(record));
        }
        self.settle()?;
        self.take()
    }

    /// The next record, waiting up to `timeout` for it. None when the time is over, which is not
    /// an error.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Record>> {
        if let Some(record) = self.take()? {
            return Ok(Some(record));
        }
        let deadline = Deadline::after(timeout);
        while self.wait_until(deadline)? {
            if let Some(record) = self.take()? {
                return Ok(Some(record));
            }
        }
        self.take()
    }

    /// Waits up to `timeout` until there may be something to read; whether there is.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn wait(&mut self, timeout: Duration) -> Result<bool> {
        self.link.refuse()?;
        let deadline = Deadline::after(timeout);
        while !self.has_news() && self.wait_until(deadline)? {}
        Ok(self.has_news())
    }

    /// Whether there may be something to read now. It only looks at the lane's memory, as
    /// [`Consumer::is_ready`](crate::Consumer::is_ready).
    pub fn is_ready(&self) -> bool {
        self.has_news()
    }

    /// Whether there may be something to read now. If not, the descriptor of [`fd`](Self::fd) is
    /// drained and armed, as after a [`try_next`](Self::try_next) that found nothing.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn ready(&mut self) -> Result<bool> {
        self.link.refuse()?;
        if !self.has_news() {
            self.settle()?;
        }
        Ok(self.has_news())
    }

    /// Goes to another place of the stream: the newest key record, the oldest, the newest that was
    /// published `age` ago or before (else the oldest), or the record that comes next.
    ///
    /// # Errors
    /// `NoKeyFrame` when there is none; the reader stays where it is and asks for one.
    /// `Unsupported` for a lossless reader that would have to go back. `NotFound` while there is no
    /// writer; `Closed`; `Forked`.
    pub fn seek(&mut self, place: StreamStart, age: Duration) -> Result<()> {
        self.link.refuse()?;
        let age_ns = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
        let Some(epoch) = &self.link.current else {
            let text = format!("lane {:?} has no writer now", self.link.name);
            return Err(Error::new(ErrorKind::NotFound, text));
        };
        let Some(next) = find(epoch, place, age_ns) else {
            self.ask_for_key(epoch);
            let text = format!("lane {:?} holds no key record; one was asked for", self.link.name);
            return Err(Error::new(ErrorKind::NoKeyFrame, text));
        };
        if self.lossless {
            if next < self.track.next {
                let text = "a lossless reader has let go of what lies behind it";
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
            epoch.move_on(next, None);
        }
        (self.track.next, self.track.awaits_key, self.track.passed) = (next, false, 0);
        Ok(())
    }

    /// Asks the writer for a key record.
    ///
    /// # Errors
    /// `NotFound` while there is no writer; `Closed`; `Disconnected`; `Forked`.
    pub fn request_key_frame(&mut self) -> Result<()> {
        self.link.refuse()?;
        match &self.link.current {
            Some(epoch) => self.ask_for_key(epoch),
            None => {
                let text = format!("lane {:?} has no writer now", self.link.name);
                return Err(Error::new(ErrorKind::NotFound, text));
            }
        }
        Ok(())
    }

    fn ask_for_key(&self, epoch: &Epoch) {
        epoch.page.key_frame_requests().fetch_add(1, Relaxed);
        epoch.tell(BellByte::KeyWanted);
    }

    /// A descriptor that becomes readable when there may be a record, as
    /// [`Consumer::fd`](crate::Consumer::fd).
    pub fn fd(&mut self) -> BorrowedFd<'_> {
        self.link.fd()
    }

    /// A handle that closes this reader from any thread.
    pub fn closer(&self) -> Closer {
        self.link.closer.clone()
    }

    /// Records delivered.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Records that passed without being delivered, all epochs together; seeks left out.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Random id of the writer attached to now, 0 while there is none.
    pub fn epoch(&self) -> u64 {
        self.link.current.as_ref().map_or(0, |epoch| epoch.info.epoch)
    }

    /// The lane as of the last attach; None while there is no writer.
    pub fn lane(&self) -> Option<&StreamInfo> {
        self.link.current.as_ref().map(|epoch| &epoch.info)
    }

    /// Records that are held in place now, earlier epochs included; 0 in a forked child.
    pub fn held(&self) -> u32 {
        self.link.held()
    }

    /// Stops reading. Held records stay valid.
    pub fn close(self) {
        drop(self);
    }

    /// The next record, without any system call.
    fn take(&mut self) -> Result<Option<Record>> {
        self.link.refuse()?;
        let Some(epoch) = self.link.current.clone() else { return Ok(None) };
        let before = self.track.passed;
        let step = self.track.step(&*epoch.view, epoch.view.shape());
        self.count_missed(&epoch, self.track.passed - before);
        let taken = match step {
            Step::Nothing => Ok(None),
            Step::Lapped(missed) => Err(self.lapped(&epoch, missed)),
            Step::Impossible(sequence) => {
                let name = &self.link.name;
                Err(protocol(format!("lane {name:?} has no believable entry {sequence}")))
            }
            Step::Record(info) => self.read(&epoch, info).map(Some),
        };
        if self.lossless && !matches!(taken, Ok(Some(_))) {
            epoch.move_on(self.track.next, None);
        }
        taken
    }

    fn read(&mut self, epoch: &Epoch, info: RecordInfo) -> Result<Record> {
        let (view, shape) = (&*epoch.view, epoch.view.shape());
        let old = self.config.as_ref();
        let old = old.filter(|(of, old)| *of == epoch.info.epoch && old.id == info.config_id);
        let new_config = old.is_none();
        let config = match old {
            Some((_, config)) => config.clone(),
            None => match ring::config(view, shape, &info) {
                Some(config) => Arc::new(self.believed(config, &info)?),
                None => return Err(self.overtaken(epoch)),
            },
        };
        let size = info.size_bytes as usize;
        let bytes = if self.lossless {
            let start = shape.data_at(info.offset_bytes);
            let (attachment, sequence) = (epoch.clone(), info.sequence);
            epoch.move_on(info.sequence + 1, Some(sequence));
            Bytes::InPlace(InPlace { attachment, sequence, range: start..start + size })
        } else {
            let mut bytes = self.spares.take(size);
            if !ring::copy(view, shape, &info, &mut bytes) {
                return Err(self.overtaken(epoch));
            }
            epoch.count_copied(size);
            Bytes::Copied(bytes)
        };
        self.config = Some((epoch.info.epoch, config.clone()));
        let missed = self.track.taken();
        self.received += 1;
        epoch.page.received().store(self.received, Relaxed);
        epoch.page.last_sequence().store(info.sequence, Relaxed);
        let new_epoch = std::mem::take(&mut self.link.announce_epoch);
        Ok(Record { info, bytes, config, new_config, missed, epoch: epoch.info.epoch, new_epoch })
    }

    /// Refuses a config that no honest writer makes, and passes its record over.
    fn believed(&mut self, config: StreamConfig, info: &RecordInfo) -> Result<StreamConfig> {
        if config.id == info.config_id && config.refuse_impossible().is_ok() {
            return Ok(config);
        }
        self.track.next += 1;
        let name = &self.link.name;
        Err(protocol(format!("lane {name:?} has no believable config {}", info.config_id)))
    }

    /// The writer came by while the record was being read.
    fn overtaken(&mut self, epoch: &Epoch) -> Error {
        let missed = self.track.lapped(&*epoch.view, epoch.view.shape());
        self.lapped(epoch, missed)
    }

    fn lapped(&mut self, epoch: &Epoch, missed: u64) -> Error {
        self.count_missed(epoch, missed);
        if self.track.awaits_key {
            self.ask_for_key(epoch);
        }
        let name = &self.link.name;
        Error::lapped(format!("{missed} records of lane {name:?} were overwritten unread"), missed)
    }

    fn count_missed(&mut self, epoch: &Epoch, missed: u64) {
        if missed > 0 {
            self.missed = self.missed.saturating_add(missed); // a hostile lane may jump at will
            epoch.page.missed().store(self.missed, Relaxed);
        }
    }
}

/// The record at a place of the stream, where there is one.
fn find(epoch: &Epoch, place: StreamStart, age_ns: u64) -> Option<u64> {
    let (view, shape) = (&*epoch.view, epoch.view.shape());
    match place {
        StreamStart::NewestKey => ring::newest_key(view, shape),
        StreamStart::OldestKey => ring::oldest_key(view, shape),
        StreamStart::KeyBefore => {
            ring::key_before(view, shape, monotonic_ns().saturating_sub(age_ns))
        }
        StreamStart::Next => ring::newest(view).checked_add(1),
    }
}

impl Reading for StreamReader {
    type Epoch = Epoch;

    fn link(&self) -> &Link<Epoch> {
        &self.link
    }

    fn link_mut(&mut self) -> &mut Link<Epoch> {
        &mut self.link
    }

    fn has_news(&self) -> bool {
        let news = |epoch: &Epoch| ring::newest(&*epoch.view) >= self.track.next;
        self.link.current.as_ref().is_some_and(news)
    }

    fn open_epoch(&self, parcel: Parcel, connection: OwnedFd, welcome: &Welcome) -> Result<Epoch> {
        let (name, wish) = (&self.link.name, &self.link.wish);
        StreamAttachment::open(parcel, name, wish, connection, welcome).map(Arc::new)
    }

    fn begin(&mut self, epoch: &Epoch) {
        // Before the search: a key record that is committed during it is read, not passed over.
        let seen = ring::newest(&*epoch.view);
        let found = match self.lossless {
            true => Some(epoch.page.cursor().load(Relaxed)),
            false => find(epoch, self.start, self.start_age_ns),
        };
        self.track.next = found.unwrap_or(seen.saturating_add(1));
        self.track.passed = 0;
        // What a lossless reader was given may be the next record, for want of a key record.
        self.track.awaits_key =
            self.start != StreamStart::Next && (found.is_none() || self.lossless);
        if self.lossless {
            epoch.move_on(self.track.next, None);
        }
        if self.track.awaits_key && !self.has_key(epoch) {
            self.ask_for_key(epoch);
        }
        if !self.again {
            // A later writer is read from its first key record: nothing before it is old news.
            self.again = true;
            self.start = StreamStart::OldestKey;
            self.link.wish.stream = Some((StreamStart::OldestKey, 0));
        }
    }
}

impl StreamReader {
    /// Whether the record to be read next is a key record.
    fn has_key(&self, epoch: &Epoch) -> bool {
        let (view, shape) = (&*epoch.view, epoch.view.shape());
        let found = ring::newest(view) >= self.track.next;
        let entry = |sequence| ring::entry(view, shape, sequence);
        found && matches!(entry(self.track.next), ring::Found::Entry(info) if info.is_key())
    }
}
