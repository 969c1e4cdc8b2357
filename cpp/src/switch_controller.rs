//! The controller of a switch.
#![allow(unsafe_code, reason = "a handle comes back as a pointer, and texts as spans")]

use crate::bridge::ffi::{Selected, Text};
use crate::status::{enter, invalid, make, place, text};
use crate::types::{Report, SwitchControllerOptions};
use framelane::{Result, SwitchChoice};
use std::time::Duration;

pub struct SwitchController(framelane::SwitchController);

/// # Safety
/// Each text names so many bytes that live through the call.
pub unsafe fn create_switch(
    name: &[u8],
    lanes: &[Text],
    options: &SwitchControllerOptions,
) -> *mut SwitchController {
    make(|| {
        let lane = |lane: &Text| {
            if lane.size_bytes == 0 {
                return Ok(""); // which may have no address
            }
            // SAFETY: the caller's promise.
            let bytes = unsafe { std::slice::from_raw_parts(lane.data, lane.size_bytes) };
            text(bytes, "the name of a lane")
        };
        let lanes: Vec<&str> = lanes.iter().map(lane).collect::<Result<_>>()?;
        let options = framelane_ffi::switch_controller_options(&options.0)?;
        let name = text(name, "the name of the switch")?;
        Ok(SwitchController(framelane::SwitchController::create(name, &lanes, options)?))
    })
}

/// # Safety
/// A pointer that `create_switch` returned and that was not dropped before.
pub unsafe fn drop_switch_controller(controller: *mut SwitchController) {
    enter(|| {
        // SAFETY: the caller's promise; `make` boxed it.
        drop(unsafe { Box::from_raw(controller) });
        Ok(())
    });
}

impl SwitchController {
    pub fn select(&self, index: usize, switch_epoch: &mut u64) -> u32 {
        enter(|| {
            *switch_epoch = self.0.select(index)?;
            Ok(())
        })
    }

    pub fn select_lane(&self, lane: &[u8], switch_epoch: &mut u64) -> u32 {
        enter(|| {
            *switch_epoch = self.0.select_lane(text(lane, "the name of a lane")?)?;
            Ok(())
        })
    }

    pub fn propose(&self, index: usize, active: &mut bool) -> u32 {
        enter(|| {
            *active = self.0.propose(index)?;
            Ok(())
        })
    }

    pub fn set_automatic(&self) -> u32 {
        enter(|| self.0.set_automatic())
    }

    pub fn held(&self) -> bool {
        self.0.is_held()
    }

    pub fn active(&self) -> usize {
        self.0.active()
    }

    pub fn switch_epoch(&self) -> u64 {
        self.0.switch_epoch()
    }

    pub fn wait_switched(&self, switch_epoch: u64, timeout_ns: u64, now: &mut u64) -> u32 {
        enter(|| {
            *now = self.0.wait_switched(switch_epoch, Duration::from_nanos(timeout_ns))?;
            Ok(())
        })
    }

    pub fn report(&self, report: &mut Report) {
        report.0 = self.0.report();
    }

    pub fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    pub fn readers(&self) -> usize {
        self.0.readers()
    }
}

pub fn select_lane_from_outside(
    name: &[u8],
    lane: &[u8],
    directory: &[u8],
    timeout_ns: u64,
    selected: &mut Selected,
) -> u32 {
    from_outside(name, directory, timeout_ns, selected, || {
        Ok(SwitchChoice::Lane(text(lane, "the name of a lane")?.to_owned()))
    })
}

pub fn select_index_from_outside(
    name: &[u8],
    index: usize,
    directory: &[u8],
    timeout_ns: u64,
    selected: &mut Selected,
) -> u32 {
    from_outside(name, directory, timeout_ns, selected, || {
        let index = u32::try_from(index);
        Ok(SwitchChoice::Index(index.map_err(|_| invalid("no switch has so many lanes"))?))
    })
}

pub fn automatic_from_outside(
    name: &[u8],
    directory: &[u8],
    timeout_ns: u64,
    selected: &mut Selected,
) -> u32 {
    from_outside(name, directory, timeout_ns, selected, || Ok(SwitchChoice::Automatic))
}

fn from_outside(
    name: &[u8],
    directory: &[u8],
    timeout_ns: u64,
    selected: &mut Selected,
    choice: impl FnOnce() -> Result<SwitchChoice>,
) -> u32 {
    enter(|| {
        let (name, timeout) =
            (text(name, "the name of the switch")?, Duration::from_nanos(timeout_ns));
        let (active, switch_epoch) =
            framelane::select(name, &choice()?, place(directory), timeout)?;
        *selected = Selected { active, switch_epoch };
        Ok(())
    })
}
