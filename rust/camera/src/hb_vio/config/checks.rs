//! What one camera, and one channel, cannot be.

use super::{Camera, Channel};
use crate::error::{Result, invalid};

impl Camera {
    pub(super) fn check(&self) -> Result<()> {
        self.setup().check().map_err(framelane::Error::from)?;
        // A frame that is late, or a wait that the library cuts short, is no silence.
        let least = (3 * 1000 / u64::from(self.sensor.fps)).max(100);
        if self.silence_ms < least {
            let (host, silence) = (self.host, self.silence_ms);
            return Err(invalid(format!(
                "camera at host {host}: silence_ms = {silence} is less than {least}, in which \
                 three frames come"
            )));
        }
        Ok(())
    }
}

impl Channel {
    pub(super) fn check(&self, fps: u32) -> Result<()> {
        let number = self.number;
        // 33 ms stand for a thirtieth of a second, as everybody writes it.
        let least = 2 * (1000 / u64::from(fps));
        if self.lease_ms < least {
            return Err(invalid(format!(
                "channel {number}: a lease of {} ms is shorter than two frames, {least} ms",
                self.lease_ms
            )));
        }
        if !(1..=60).contains(&self.leases) {
            let leases = self.leases;
            return Err(invalid(format!("channel {number}: {leases} leases, 1 to 60 can be had")));
        }
        Ok(())
    }
}
