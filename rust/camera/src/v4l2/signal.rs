//! Inputs that take a video signal, an HDMI connector for one, whose size another device chooses.

use super::abi;
use super::device::Device;
use super::sys::{self, call};
use crate::error::Result;
use framelane::{Error, ErrorKind};
use rustix::io::Errno;

impl Device {
    /// Has the input follow the signal that it gets now. A sensor, which has none, is left alone.
    ///
    /// # Errors
    /// `Disconnected` where there is no signal, or none that holds still yet.
    pub fn follow_signal(&self) -> Result<()> {
        let mut chosen = abi::Number { value: 0 };
        if call(self, &sys::G_INPUT, &mut chosen).is_err() {
            return Ok(());
        }
        let mut input = abi::Input { index: chosen.value, ..abi::Input::ZERO };
        let told = call(self, &sys::ENUMINPUT, &mut input);
        if told.is_err() || input.capabilities & abi::INPUT_HAS_TIMINGS == 0 {
            return Ok(());
        }
        let mut timings = abi::Timings::ZERO;
        match call(self, &sys::QUERY_DV_TIMINGS, &mut timings) {
            Ok(_) => {}
            // Drivers that cannot look at the signal keep what is set.
            Err(Errno::NOTTY | Errno::NODATA) => return Ok(()),
            Err(errno @ (Errno::NOLINK | Errno::NOLCK | Errno::RANGE)) => {
                let what = match errno {
                    Errno::NOLINK => "no signal comes in",
                    Errno::NOLCK => "the signal does not hold still",
                    _ => "the signal is none that the driver knows",
                };
                let text = format!("{}: {what} ({errno})", self.path().display());
                return Err(Error::new(ErrorKind::Disconnected, text));
            }
            Err(errno) => return Err(self.failed("VIDIOC_QUERY_DV_TIMINGS", errno)),
        }
        call(self, &sys::S_DV_TIMINGS, &mut timings)
            .map_err(|errno| self.failed("VIDIOC_S_DV_TIMINGS", errno))?;
        Ok(())
    }
}
