//! Switches for tests: two lanes, a controller, and readers that wait in each way.

use super::readers::By;
use super::{DEADLINE, Place, layout};
use framelane::{
    ConsumerOptions, Error, Frame, Mode, Producer, ProducerOptions, Switch, SwitchController,
    SwitchControllerOptions,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::{Duration, Instant};

/// Name of the switch of every test.
pub const SWITCH: &str = "switch";

impl Place {
    pub fn lane(&self, name: &str) -> Producer {
        let options = ProducerOptions::new().layout(layout()).history(3);
        Producer::create(name, options.directory(self.directory())).unwrap()
    }

    pub fn controller(&self, lanes: &[&str]) -> SwitchController {
        self.try_controller(lanes, SwitchControllerOptions::new()).unwrap()
    }

    pub fn try_controller(
        &self,
        lanes: &[&str],
        options: SwitchControllerOptions,
    ) -> Result<SwitchController, Error> {
        SwitchController::create(SWITCH, lanes, options.directory(self.directory()))
    }

    pub fn switch(&self, mode: Mode) -> Switch {
        let options = ConsumerOptions::new(mode).leases(2).wait_for_lane(DEADLINE);
        Switch::open(SWITCH, options.directory(self.directory())).unwrap()
    }
}

/// Whether a switch's descriptor becomes readable in time.
pub fn is_readable(switch: &mut Switch, time: Duration) -> bool {
    let fd = switch.fd();
    let mut polled = [PollFd::new(&fd, PollFlags::IN)];
    let timeout = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
    poll(&mut polled, Some(&timeout)).unwrap() == 1
}

/// The next frame.
pub fn next(switch: &mut Switch, by: By) -> Frame {
    try_next(switch, by).expect("no error on the way to the next frame")
}

/// The next frame, or the error that comes instead.
pub fn try_next(switch: &mut Switch, by: By) -> framelane::Result<Frame> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let frame = match by {
            By::Futex => switch.next(DEADLINE)?,
            By::Fd | By::Spin => switch.try_next()?,
        };
        if let Some(frame) = frame {
            return Ok(frame);
        }
        match by {
            By::Futex => panic!("no frame within the deadline"),
            By::Fd => assert!(is_readable(switch, DEADLINE), "rung within the deadline"),
            By::Spin => std::thread::sleep(Duration::from_micros(200)),
        }
        assert!(Instant::now() < deadline, "no frame within the deadline, by {by:?}");
    }
}
