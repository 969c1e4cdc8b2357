//! The controller: one process that owns a switch.

use super::lane::{self, SwitchLane};
use super::options::SwitchControllerOptions;
use super::report;
use crate::clock::{Deadline, monotonic_ns};
use crate::error::Result;
use crate::failpoint::step;
use crate::layout::Report;
use crate::producer::name::NameHold;
use crate::producer::service;
use crate::ring::switch as ring;
use crate::runtime_dir::{self, RuntimeDir};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Owns a switch and says which of its lanes is active.
///
/// Usable from several threads at once. It reads no frames and waits for nobody. Dropping it ends
/// the switch: readers go on with the lane that is active, and attach to the next controller of
/// that name by themselves.
pub struct SwitchController {
    lane: Arc<SwitchLane>,
    directory: PathBuf,
    service: Mutex<Option<JoinHandle<()>>>,
}

impl SwitchController {
    /// Makes the switch `name`, behind which the frame lanes `lanes` stand, and starts to admit
    /// readers. The lanes need not be there yet.
    ///
    /// # Errors
    /// `InvalidName` for the name of the switch or of a lane; `InvalidArgument` for no lanes, too
    /// many, one that is named twice, or an index beyond them; `AlreadyExists` when somebody else
    /// owns the name; `PermissionDenied` when no runtime directory can be used; `OutOfMemory`;
    /// `TooMany` for too few file descriptors.
    pub fn create(
        name: &str,
        lanes: &[&str],
        options: SwitchControllerOptions,
    ) -> Result<SwitchController> {
        crate::name::validate(name)?;
        let places = runtime_dir::places(options.directory.as_deref());
        let dir = RuntimeDir::for_producer(&places)?;
        let hold = NameHold::take(dir, name, options.access)?;
        let directory = hold.directory().to_owned();
        let lane = lane::create(name, lanes, &options)
            .map_err(|error| error.context(format!("making switch {name:?}")))?;
        step("create.made");
        let lane = Arc::new(lane);
        let service = Mutex::new(Some(service::start(lane.clone(), hold)?));
        Ok(SwitchController { lane, directory, service })
    }

    /// Makes a lane active; the switch epoch. The choice stands against a policy until
    /// [`set_automatic`](Self::set_automatic). To select the active lane again changes nothing
    /// that readers see.
    ///
    /// # Errors
    /// `InvalidArgument` for an index that no lane has; `Forked`.
    pub fn select(&self, index: usize) -> Result<u64> {
        self.lane.choose(index).map(ring::epoch_of)
    }

    /// As [`select`](Self::select), by the name of the lane.
    ///
    /// # Errors
    /// `InvalidArgument` for a lane that does not stand behind this switch; `Forked`.
    pub fn select_lane(&self, lane: &str) -> Result<u64> {
        self.lane.choose(self.lane.index_of(lane)?).map(ring::epoch_of)
    }

    /// What a policy wants: makes a lane active unless somebody has chosen. Whether it is active.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn propose(&self, index: usize) -> Result<bool> {
        self.lane.propose(index)
    }

    /// Takes a choice back: from now on a policy chooses.
    ///
    /// # Errors
    /// `Forked`.
    pub fn set_automatic(&self) -> Result<()> {
        self.lane.set_automatic().map(drop)
    }

    /// Whether somebody has chosen, here or through [`select`](crate::select()), and no policy is
    /// to choose otherwise; false in a forked child.
    pub fn is_held(&self) -> bool {
        self.lane.now().is_ok_and(|(_, held)| held)
    }

    /// Index of the active lane; 0 in a forked child.
    pub fn active(&self) -> usize {
        self.lane.now().map_or(0, |(selection, _)| ring::index_of(selection))
    }

    /// How many-th selection this is, from 1; 0 in a forked child.
    pub fn switch_epoch(&self) -> u64 {
        self.lane.now().map_or(0, |(selection, _)| ring::epoch_of(selection))
    }

    /// Waits up to `timeout` while the switch epoch is `switch_epoch`; the epoch of now, which is
    /// the same when the time is over.
    ///
    /// # Errors
    /// `Closed` once the switch was [ended](Self::end); `Forked`.
    pub fn wait_switched(&self, switch_epoch: u64, timeout: Duration) -> Result<u64> {
        let deadline = Deadline::after(timeout);
        let mut now = self.lane.now()?;
        while ring::epoch_of(now.0) == switch_epoch && deadline.left().is_some() {
            now = self.lane.wait_change(now, deadline)?;
        }
        Ok(ring::epoch_of(now.0))
    }

    /// Names of the lanes, by index.
    pub fn lanes(&self) -> &[String] {
        &self.lane.lanes
    }

    /// How the switch is: lanes, selection, counts and readers. A forked child sees the lanes only.
    pub fn report(&self) -> Report {
        report::report(&self.lane, monotonic_ns())
    }

    /// Number of readers attached now; 0 in a forked child.
    pub fn readers(&self) -> usize {
        match self.lane.refuse_fork() {
            Ok(()) => self.lane.lock().members.len(),
            Err(_) => 0,
        }
    }

    /// Random id of this controller incarnation.
    pub fn epoch(&self) -> u64 {
        self.lane.facts.epoch
    }

    /// Name of the switch.
    pub fn name(&self) -> &str {
        &self.lane.facts.name
    }

    /// Runtime directory the switch's socket is in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends the switch while other threads still have the controller: their waits and later calls
    /// fail with `Closed`, and its name is free. Does nothing in a forked child, whose switch it is
    /// not, nor when it was ended before.
    pub fn end(&self) {
        if self.lane.refuse_fork().is_err() {
            return;
        }
        self.lane.close();
        // Held until the thread is gone, so that the name is free for whoever ends it second, too.
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(service) = service.take() {
            let _ = service.join();
        }
    }

    /// Ends the switch. Dropping the controller does the same.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for SwitchController {
    fn drop(&mut self) {
        if self.lane.refuse_fork().is_err() {
            // The switch is the parent's, and its thread is not here to be let go of.
            let service = self.service.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(service.take());
            return;
        }
        self.end();
    }
}
