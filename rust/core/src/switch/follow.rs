//! Following the controller: which lanes there are, and which is active.

use super::member::MemberLane;
use super::reader::{CONTROL, Switch};
use crate::clock::monotonic_ns;
use crate::consumer::Reading;
use crate::error::{Error, Result, protocol};
use crate::ring::switch as ring;
use rustix::event::epoll::{self, EventData, EventFlags};
use std::os::fd::AsFd;

impl Switch {
    /// Takes over what the controller says now. Without a controller all stays as it is.
    ///
    /// # Errors
    /// `Protocol`, once, for a selection that cannot be: the active lane then stays active.
    #[inline]
    pub(super) fn follow(&mut self) -> Result<()> {
        match self.control.has_news() {
            true => self.take_over(),
            false => Ok(()),
        }
    }

    #[cold]
    fn take_over(&mut self) -> Result<()> {
        let Some(epoch) = &self.control.link.current else { return Ok(()) };
        let (selection, controller) = (epoch.selected(), epoch.epoch);
        let another = controller != self.controller;
        let before = self.active.map(|index| self.lanes[index].name.clone());
        if another {
            if let Err(error) = self.adopt(epoch.lanes.clone()) {
                // The lane that is active can be read all the same; `look_at_control` tries again.
                self.control.seen = selection;
                self.courtesy.note(Some(&error));
                self.obstacle = Some(error);
                return Ok(());
            }
            self.controller = controller;
        }
        self.control.seen = selection;
        let index = ring::index_of(selection);
        if index >= self.lanes.len() {
            let (name, count) = (&self.control.link.name, self.lanes.len());
            let text = format!("switch {name:?} selects lane {index} of its {count}");
            return Err(protocol(text));
        }
        if self.active != Some(index) {
            self.activate(index);
        }
        self.selection = selection;
        let renamed = before.as_deref() != Some(&*self.lanes[index].name);
        self.announce |= renamed || !another;
        Ok(())
    }

    fn activate(&mut self, index: usize) {
        if let Some(old) = self.active.replace(index) {
            self.lanes[old].deactivate();
        }
        self.lanes[index].activate(self.polled);
        self.active_ns = monotonic_ns();
        self.switches += u64::from(self.last.is_some());
        // What an earlier frame said of its time counts as long as it can be true.
        self.after = self.last.and_then(|moment| moment.believable());
    }

    /// The lanes of another controller. Those that stay keep their attachment, those that go end
    /// theirs; frames of them that are held stay valid.
    fn adopt(&mut self, names: Vec<String>) -> Result<()> {
        let mut fresh = Vec::new();
        for name in &names {
            if self.index_of(name).is_none() {
                fresh.push(self.open_lane(name)?);
            }
        }
        // From here on nothing fails.
        let active = self.active.take().map(|index| self.lanes[index].key);
        let mut pool = std::mem::take(&mut self.lanes);
        pool.append(&mut fresh);
        for name in names {
            let at = pool.iter().position(|lane| lane.name == name).expect("kept or opened");
            self.lanes.push(pool.swap_remove(at));
        }
        for lane in pool {
            self.missed = self.missed.saturating_add(lane.consumer.missed());
            // A frame that is held keeps no descriptor of the poller, but a forked child may.
            let _ = epoll::delete(&self.epoll, lane.consumer.link.poller.fd());
        }
        self.active = self.lanes.iter().position(|lane| Some(lane.key) == active);
        Ok(())
    }

    fn open_lane(&mut self, name: &str) -> Result<MemberLane> {
        self.last_key += 1;
        let mut lane = MemberLane::new(name.to_owned(), self.last_key, &self.options)?;
        self.watch(lane.consumer.link.poller.fd(), lane.key)?;
        lane.attach();
        Ok(lane)
    }

    pub(super) fn watch_control(&self) -> Result<()> {
        self.watch(self.control.link.poller.fd(), CONTROL)
    }

    fn watch(&self, fd: impl AsFd, key: u64) -> Result<()> {
        epoll::add(&self.epoll, fd, EventData::new_u64(key), EventFlags::IN)
            .map_err(|errno| Error::system("epoll_ctl", errno))
    }

    /// Index of a lane by its name.
    pub(super) fn index_of(&self, name: &str) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.name == name)
    }
}
