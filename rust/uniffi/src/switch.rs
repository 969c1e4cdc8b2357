//! The reader of a switch.

use crate::failure::{Problem, Result};
use crate::frame::Leased;
use crate::handle::{Handle, Side};
use crate::options::ConsumerOptions;
use framelane::Closer;
use rustix::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

/// One lane behind a switch.
#[derive(uniffi::Record)]
pub struct SwitchLane {
    /// Name of the lane.
    pub name: String,
    /// Whether its producer is there.
    pub attached: bool,
    /// Why a producer that is there is not attached to.
    pub problem: Option<Problem>,
}

/// How a switch is, as its reader sees it.
#[derive(uniffi::Record)]
pub struct SwitchStatus {
    /// Whether there is a controller now.
    pub controlled: bool,
    /// Random id of the controller seen last.
    pub controller_epoch: u64,
    /// Switch epoch of the selection seen last.
    pub switch_epoch: u64,
    /// Index of the active lane.
    pub active: Option<u32>,
    /// The lanes, by index.
    pub lanes: Vec<SwitchLane>,
    /// Why a controller that is there is not followed.
    pub problem: Option<Problem>,
}

/// Reads the active lane of a switch.
#[derive(uniffi::Object)]
pub struct Switch(pub(crate) Handle<framelane::Switch>);

impl Side for framelane::Switch {
    const WHAT: &'static str = "reader of switch";
    type Item = framelane::Frame;
    fn counts(&self) -> [u64; 3] {
        [self.received(), self.missed(), self.dropped()]
    }
    fn closer(&self) -> Closer {
        self.closer()
    }
    fn fd(&mut self) -> BorrowedFd<'_> {
        self.fd()
    }
    fn try_next(&mut self) -> framelane::Result<Option<framelane::Frame>> {
        self.try_next()
    }
    fn next(&mut self, timeout: Duration) -> framelane::Result<Option<framelane::Frame>> {
        self.next(timeout)
    }
    fn wait(&mut self, timeout: Duration) -> framelane::Result<bool> {
        self.wait(timeout)
    }
}

fn lane(lane: framelane::SwitchLane) -> SwitchLane {
    let problem = lane.problem.map(Problem::from);
    SwitchLane { name: lane.name, attached: lane.attached, problem }
}

#[uniffi::export]
impl Switch {
    /// Attaches to a switch and the lanes behind it.
    #[uniffi::constructor]
    pub fn open(name: String, options: ConsumerOptions) -> Result<Arc<Self>> {
        framelane_hobot::register();
        let switch = framelane::Switch::open(&name, options.into_core()?)?;
        Ok(Arc::new(Switch(Handle::new(switch, &name))))
    }

    /// The next frame of the active lane, if there is one within the time.
    pub fn next(&self, timeout_ns: u64) -> Result<Option<Leased>> {
        Ok(self.0.next(timeout_ns)?.map(Leased::new))
    }

    /// The newest valid frame of the active lane, also one that was delivered before.
    pub fn latest(&self) -> Result<Option<Leased>> {
        Ok(self.0.with(framelane::Switch::latest)?.map(Leased::new))
    }

    /// Waits until there may be something to read.
    pub fn wait(&self, timeout_ns: u64) -> Result<bool> {
        self.0.wait(timeout_ns)
    }

    /// Frames delivered.
    pub fn received(&self) -> u64 {
        self.0.count(0)
    }

    /// Frames that passed without being delivered while their lane was active.
    pub fn missed(&self) -> u64 {
        self.0.count(1)
    }

    /// Frames that were too old after a switch, or of the lane that was switched away from.
    pub fn dropped(&self) -> u64 {
        self.0.count(2)
    }

    /// Switches this reader has followed.
    pub fn switches(&self) -> Result<u64> {
        self.0.with(|switch| Ok(switch.switches()))
    }

    /// Frames of this reader that are held now.
    pub fn held(&self) -> Result<u32> {
        self.0.with(|switch| Ok(switch.held()))
    }

    /// How the switch is.
    pub fn status(&self) -> Result<SwitchStatus> {
        let status = self.0.with(|switch| Ok(switch.status()))?;
        Ok(SwitchStatus {
            controlled: status.controlled,
            controller_epoch: status.controller_epoch,
            switch_epoch: status.switch_epoch,
            active: status.active.map(|index| index as u32),
            lanes: status.lanes.into_iter().map(lane).collect(),
            problem: status.problem.map(Problem::from),
        })
    }

    /// Stops reading, from any thread.
    pub fn end(&self) {
        self.0.close();
    }
}
