//! A reader's hold on one epoch of a stream lane.

use super::info::StreamInfo;
use crate::consumer::{EpochOf, Parcel, Tie, Wish, refuse_other};
use crate::error::{Result, protocol};
use crate::layout::{LaneHeader, StreamHeader, Welcome};
use crate::mem::map::Mapping;
use crate::mem::memfd;
use crate::mem::stream::{STREAM_HEADER, StreamView};
use crate::mem::view::read_struct;
use crate::ring::stream::reader;
use rustix::fd::OwnedFd;
use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One epoch, until the last record that is held in place is dropped.
pub(crate) struct StreamAttachment {
    tie: Tie,
    pub(super) info: StreamInfo,
    pub(super) view: Arc<StreamView>,
    held: Mutex<Held>,
}

impl Deref for StreamAttachment {
    type Target = Tie;
    fn deref(&self) -> &Tie {
        &self.tie
    }
}

/// Records that a lossless reader has taken and not released, in order.
#[derive(Default)]
struct Held {
    /// The record to be taken next.
    next: u64,
    records: VecDeque<(u64, bool)>,
}

impl Held {
    /// The lowest record that is not released.
    fn cursor(&self) -> u64 {
        self.records.front().map_or(self.next, |&(sequence, _)| sequence)
    }
}

impl StreamAttachment {
    pub(super) fn open(
        mut parcel: Parcel,
        name: &str,
        wish: &Wish,
        connection: OwnedFd,
        welcome: &Welcome,
    ) -> Result<Self> {
        let (view, mut info) = open_lane(&parcel.lane()?)?;
        refuse_other(name, &info.name, info.epoch, welcome)?;
        info.consumer_id = welcome.consumer_id;
        let view = Arc::new(view);
        let tie = parcel.tie(name, wish, view.clone(), connection, welcome)?;
        Ok(StreamAttachment { tie, info, view, held: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lossless reader will take `next` next; with `taken`, it has just taken the one before.
    pub(super) fn move_on(&self, next: u64, taken: Option<u64>) {
        let mut held = self.lock();
        let before = held.cursor();
        held.next = next;
        held.records.extend(taken.map(|sequence| (sequence, false)));
        self.tell_cursor(before, &held);
    }

    /// A record that was taken is not needed any more.
    pub(super) fn release(&self, sequence: u64) {
        let mut held = self.lock();
        let before = held.cursor();
        if let Some((_, done)) = held.records.iter_mut().find(|(held, _)| *held == sequence) {
            *done = true;
        }
        while let Some((_, true)) = held.records.front() {
            held.records.pop_front();
        }
        self.tell_cursor(before, &held);
    }

    fn tell_cursor(&self, before: u64, held: &Held) {
        let cursor = held.cursor();
        if cursor > before {
            reader::advance(&self.page, cursor);
            self.ring_if_wanted(&*self.view);
        }
    }
}

impl EpochOf for Arc<StreamAttachment> {
    fn tie(&self) -> &Tie {
        &self.tie
    }

    fn held(&self) -> u32 {
        // In a forked child the mutex may be held for ever.
        if self.refuse_fork().is_err() {
            return 0;
        }
        self.lock().records.iter().filter(|(_, released)| !released).count() as u32
    }

    fn outlives_producer(&self) -> bool {
        true
    }
}

fn open_lane(fd: &OwnedFd) -> Result<(StreamView, StreamInfo)> {
    let bytes = memfd::settled_size(fd, "the lane's memory")?;
    if bytes < (size_of::<LaneHeader>() + size_of::<StreamHeader>()) as u64 {
        return Err(protocol(format!("lane memory of {bytes} bytes is too small for a lane")));
    }
    // Stays inherited by a child: a stray view of a record must not fault there.
    let map = Mapping::read_only(fd, bytes)?;
    // Copied once; only the copies are believed.
    let (header, stream) = (read_struct(&map, 0), read_struct(&map, STREAM_HEADER));
    let (info, parts, shape) = StreamInfo::from_headers(&header, &stream, bytes)?;
    map.populate()?;
    Ok((StreamView::new(map, parts, shape)?, info))
}
