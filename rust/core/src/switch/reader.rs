//! The reader of a switch.

use super::attach::Control;
use super::courtesy::Courtesy;
use super::member::MemberLane;
use super::order::Moment;
use crate::clock::{Deadline, monotonic_ns};
use crate::consumer::{Closer, Consumer, ConsumerOptions, Frame, LaneInfo, Reading, Reattach};
use crate::error::{Error, Result};
use crate::layout::{ErrorKind, Mode};
use crate::ring::switch as ring;
use rustix::event::epoll;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// Key of the controller's descriptor; lanes count up from 1.
pub(super) const CONTROL: u64 = 0;

/// Frames that one read may find to be of the wrong lane or too old, before it looks at its time.
const DROPS: usize = 64;

/// Reads the active lane of a switch.
///
/// Can be sent to another thread, but is used by one at a time; [`Closer`] works from any. A switch
/// of the controller's shows on the very next frame, which says so, and wakes a sleeping read.
/// Lanes, and the controller too, may come late, die and come again.
pub struct Switch {
    pub(super) control: Control,
    pub(super) options: ConsumerOptions,
    /// The lanes of the controller seen last.
    pub(super) lanes: Vec<MemberLane>,
    pub(super) last_key: u64,
    pub(super) active: Option<usize>,
    /// Selection and controller under which it is active.
    pub(super) selection: u64,
    pub(super) controller: u64,
    /// The next frame is the first under another selection.
    pub(super) announce: bool,
    /// When the frame delivered last was captured.
    pub(super) last: Option<Moment>,
    /// Frames captured before this are too old: of the frame before, until one of the active lane
    /// was delivered.
    pub(super) after: Option<Moment>,
    /// Since when it is read.
    pub(super) active_ns: u64,
    /// Holds the descriptors of the controller and all lanes.
    pub(super) epoll: OwnedFd,
    pub(super) polled: bool,
    /// Why a controller that is there is not followed.
    pub(super) obstacle: Option<Error>,
    pub(super) courtesy: Courtesy,
    pub(super) looked_ns: u64,
    /// Frames missed of lanes that stand behind the switch no more.
    pub(super) missed: u64,
    pub(super) switches: u64,
    /// Epoch and sequence of the frame delivered last.
    delivered: (u64, u64),
    received: u64,
    dropped: u64,
}

/// What a read does about a frame that is too old.
#[derive(Clone, Copy)]
enum TooOld {
    GoOn,
    IsNothing,
}

/// One lane behind a switch, as its reader sees it.
#[derive(Clone, Debug)]
pub struct SwitchLane {
    /// Name of the lane.
    pub name: String,
    /// Whether its producer is there.
    pub attached: bool,
    /// Why a producer that is there is not attached to.
    pub problem: Option<Error>,
}

/// How a switch is, as its reader sees it.
#[derive(Clone, Debug)]
pub struct SwitchStatus {
    /// Whether there is a controller now. Without one the lane that was active stays so.
    pub controlled: bool,
    /// Random id of the controller seen last.
    pub controller_epoch: u64,
    /// Switch epoch of the selection seen last.
    pub switch_epoch: u64,
    /// Index of the active lane.
    pub active: Option<usize>,
    /// The lanes, by index.
    pub lanes: Vec<SwitchLane>,
    /// Why a controller that is there is not followed.
    pub problem: Option<Error>,
}

impl Switch {
    /// Attaches to the switch `name` and to the lanes behind it. The options are those of each
    /// lane's consumer; `wait_for_lane` waits for a controller. The lanes need not be there.
    ///
    /// # Errors
    /// As [`Consumer::open`](crate::Consumer::open), for the controller as for the active lane;
    /// `Unsupported` when the name is not that of a switch, and for lossless reading, which would
    /// hold up the lanes that are not active.
    pub fn open(name: &str, options: ConsumerOptions) -> Result<Switch> {
        if options.mode == Mode::Lossless {
            let text = "a switch is read latest or ordered: nobody takes frames of its other lanes";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        // What is wrong with the options shows before anybody is looked for.
        drop(Consumer::detached(name, options.clone())?);
        let deadline = Deadline::after(options.wait_for_lane);
        let control = Control::new(name, options.directory.clone(), options.return_on_signal)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)
            .map_err(|errno| Error::system("epoll_create", errno))?;
        let mut switch = Switch {
            control,
            options,
            lanes: Vec::new(),
            last_key: CONTROL,
            active: None,
            selection: 0,
            controller: 0,
            announce: false,
            last: None,
            after: None,
            active_ns: 0,
            epoll,
            polled: false,
            obstacle: None,
            courtesy: Courtesy::default(),
            looked_ns: monotonic_ns(),
            missed: 0,
            switches: 0,
            delivered: (0, 0),
            received: 0,
            dropped: 0,
        };
        switch.watch_control()?;
        switch.control.attach_first(deadline)?;
        switch.follow()?;
        if let Some(index) = switch.active {
            switch.lanes[index].insist()?;
        }
        Ok(switch)
    }

    /// The next frame of the active lane, if there is one now. After None the descriptor of
    /// [`fd`](Self::fd) is drained and armed.
    ///
    /// # Errors
    /// As [`Consumer::try_next`](crate::Consumer::try_next), for the active lane; `Protocol`, once,
    /// for a selection that names no lane.
    pub fn try_next(&mut self) -> Result<Option<Frame>> {
        self.look_now_and_then()?;
        if let Some(frame) = self.take()? {
            return Ok(Some(frame));
        }
        self.settle()?;
        self.take()
    }

    /// The next frame of the active lane, waiting up to `timeout` for it. None when the time is
    /// over, which is not an error.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Frame>> {
        let deadline = Deadline::after(timeout);
        self.look_now_and_then()?;
        if let Some(frame) = self.take()? {
            return Ok(Some(frame));
        }
        while self.wait_until(deadline)? {
            if let Some(frame) = self.take()? {
                return Ok(Some(frame));
            }
        }
        self.take()
    }

    /// The newest valid frame of the active lane, also one that was delivered before; None when
    /// there is none, or none captured after what was delivered before the switch.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn latest(&mut self) -> Result<Option<Frame>> {
        self.control.link.refuse()?;
        if !self.has_news() {
            self.settle()?;
        }
        self.take_by(Consumer::take_latest, TooOld::IsNothing)
    }

    /// Waits up to `timeout` until there may be something to read; whether there may.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn wait(&mut self, timeout: Duration) -> Result<bool> {
        self.look_now_and_then()?;
        self.follow()?;
        let deadline = Deadline::after(timeout);
        while !self.is_ready() && self.wait_until(deadline)? {
            self.follow()?;
        }
        Ok(self.is_ready())
    }

    /// Whether there may be something to read now. If not, the descriptor of [`fd`](Self::fd) is
    /// drained and armed, as after a [`try_next`](Self::try_next) that found nothing.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn ready(&mut self) -> Result<bool> {
        self.control.link.refuse()?;
        self.follow()?;
        if !self.is_ready() {
            self.settle()?;
        }
        Ok(self.is_ready())
    }

    /// Whether a read would find something at once: it only looks at memory.
    pub fn is_ready(&self) -> bool {
        self.active.is_some_and(|index| self.lanes[index].consumer.has_news())
    }

    /// A descriptor that becomes readable when there may be a frame or a switch, as
    /// [`Consumer::fd`](crate::Consumer::fd). Made once; it survives switches and re-attaching.
    pub fn fd(&mut self) -> BorrowedFd<'_> {
        if !self.polled && self.control.link.refuse().is_ok() {
            self.polled = true;
            self.control.link.fd();
            if let Some(index) = self.active {
                self.lanes[index].consumer.fd();
            }
        }
        self.epoll.as_fd()
    }

    /// A handle that closes this reader from any thread.
    pub fn closer(&self) -> Closer {
        self.control.link.closer.clone()
    }

    /// How the switch is; what [`next`](Self::next) does about it, it does by itself.
    pub fn status(&self) -> SwitchStatus {
        let lane = |lane: &MemberLane| SwitchLane {
            name: lane.name.clone(),
            attached: lane.is_attached(),
            problem: lane.problem.clone(),
        };
        SwitchStatus {
            controlled: self.control.link.current.is_some(),
            controller_epoch: self.controller,
            switch_epoch: ring::epoch_of(self.selection),
            active: self.active,
            lanes: self.lanes.iter().map(lane).collect(),
            problem: self.obstacle.clone(),
        }
    }

    /// Index of the lane that is read, as of the last read.
    pub fn active(&self) -> Option<usize> {
        self.active
    }

    /// The lane that is read, as of its last attach; None while it has no producer.
    pub fn lane(&self) -> Option<&LaneInfo> {
        self.active.and_then(|index| self.lanes[index].consumer.lane())
    }

    /// Whether there is a controller, as of the last look.
    pub fn is_controlled(&self) -> bool {
        self.control.link.current.is_some()
    }

    /// Frames delivered.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Frames that passed without being delivered while their lane was active.
    pub fn missed(&self) -> u64 {
        let missed = self.lanes.iter().map(|lane| lane.consumer.missed());
        missed.fold(self.missed, u64::saturating_add)
    }

    /// Frames that were captured before the frame delivered last, or read while another lane
    /// became active, and were not delivered therefore.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Switches this reader has followed.
    pub fn switches(&self) -> u64 {
        self.switches
    }

    /// Frames of this reader that are held now, of lanes that stand behind the switch.
    pub fn held(&self) -> u32 {
        self.lanes.iter().map(|lane| lane.consumer.held()).sum()
    }

    /// Stops reading. Held frames stay valid.
    pub fn close(self) {
        drop(self);
    }

    #[inline]
    pub(super) fn has_news(&self) -> bool {
        self.control.has_news() || self.is_ready()
    }

    /// The next frame, without any system call.
    #[inline]
    fn take(&mut self) -> Result<Option<Frame>> {
        self.take_by(Consumer::take, TooOld::GoOn)
    }

    fn take_by(
        &mut self,
        read: impl Fn(&mut Consumer) -> Result<Option<Frame>>,
        too_old: TooOld,
    ) -> Result<Option<Frame>> {
        self.control.link.refuse()?;
        for _ in 0..DROPS {
            self.follow()?;
            let Some(index) = self.active else { return Ok(None) };
            let Some(frame) = read(&mut self.lanes[index].consumer)? else { return Ok(None) };
            // A frame that was published after a select has brought the select with it: whoever
            // still finds the old selection has a frame of its time.
            if self.control.has_news() {
                self.dropped += 1;
                continue;
            }
            let moment = Moment::of(frame.descriptor());
            if self.after.is_some_and(|after| {
                moment.is_before(&after) && !moment.contradicts(&after, self.active_ns)
            }) {
                match too_old {
                    TooOld::IsNothing => return Ok(None),
                    TooOld::GoOn => self.dropped += 1,
                }
                continue;
            }
            return Ok(Some(self.deliver(frame, moment)));
        }
        Ok(None)
    }

    fn deliver(&mut self, mut frame: Frame, moment: Moment) -> Frame {
        frame.selection = self.selection;
        frame.switched = std::mem::take(&mut self.announce) && self.received > 0;
        self.last = Some(moment);
        self.after = None;
        let delivered = (frame.epoch(), frame.sequence());
        if std::mem::replace(&mut self.delivered, delivered) != delivered {
            self.received += 1; // not the newest once more
        }
        frame
    }
}
