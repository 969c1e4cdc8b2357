//! The reader of a switch.
#![allow(unsafe_code, reason = "a handle comes back as a pointer")]

use crate::bridge::ffi::{HeldFrame, SwitchFacts, SwitchLaneFacts};
use crate::consumer::{Closer, read};
use crate::status::{enter, make, text};
use crate::types::ConsumerOptions;
use framelane::{Error, ErrorKind};
use rustix::fd::AsRawFd;
use std::time::Duration;

pub struct Switch(framelane::Switch);

pub fn open_switch(name: &[u8], options: &ConsumerOptions) -> *mut Switch {
    make(|| {
        framelane_hobot::register();
        let options = framelane_ffi::consumer_options(&options.0)?;
        Ok(Switch(framelane::Switch::open(text(name, "the name of the switch")?, options)?))
    })
}

/// # Safety
/// A pointer that `open_switch` returned and that was not dropped before.
pub unsafe fn drop_switch(reader: *mut Switch) {
    enter(|| {
        // SAFETY: the caller's promise; `make` boxed it.
        drop(unsafe { Box::from_raw(reader) });
        Ok(())
    });
}

impl Switch {
    pub fn next(&mut self, timeout_ns: u64, frame: &mut HeldFrame) -> u32 {
        read(frame, || self.0.next(Duration::from_nanos(timeout_ns)))
    }

    pub fn try_next(&mut self, frame: &mut HeldFrame) -> u32 {
        read(frame, || self.0.try_next())
    }

    pub fn latest(&mut self, frame: &mut HeldFrame) -> u32 {
        read(frame, || self.0.latest())
    }

    pub fn wait(&mut self, timeout_ns: u64, ready: &mut bool) -> u32 {
        enter(|| {
            *ready = self.0.wait(Duration::from_nanos(timeout_ns))?;
            Ok(())
        })
    }

    pub fn fd(&mut self) -> i32 {
        self.0.fd().as_raw_fd()
    }

    pub fn received(&self) -> u64 {
        self.0.received()
    }

    pub fn missed(&self) -> u64 {
        self.0.missed()
    }

    pub fn dropped(&self) -> u64 {
        self.0.dropped()
    }

    pub fn switches(&self) -> u64 {
        self.0.switches()
    }

    pub fn held(&self) -> u32 {
        self.0.held()
    }

    pub fn facts(&self, facts: &mut SwitchFacts) {
        let number = |problem: Option<&Error>| problem.map_or(ErrorKind::Ok, Error::kind).number();
        let now = self.0.status();
        facts.controller_epoch = now.controller_epoch;
        facts.switch_epoch = now.switch_epoch;
        facts.active = now.active.map_or(-1, |index| index as i32);
        facts.problem = number(now.problem.as_ref());
        facts.controlled = now.controlled;
        facts.lanes = now
            .lanes
            .into_iter()
            .map(|lane| SwitchLaneFacts {
                problem: number(lane.problem.as_ref()),
                name: lane.name,
                attached: lane.attached,
            })
            .collect();
    }

    pub fn closer(&self) -> Box<Closer> {
        Box::new(Closer(self.0.closer()))
    }
}
