//! One connection to a lane.

use super::base::Served;
use super::handshake::{self, Parcel};
use crate::clock::monotonic_ns;
use crate::error::{Error, Result, protocol};
use crate::layout::{Hello, Liveness, Mode};
use crate::wire::peer::Peer;
use crate::wire::socket;
use rustix::fd::OwnedFd;
use std::sync::Arc;
use zerocopy::IntoBytes;

/// Time a peer has for its Hello, and again for its Ready.
const STEP_NS: u64 = 1_000_000_000;
/// Release bells a peer may send in a second; a consumer at a million frames a second, each
/// asked for, would not send more.
const BELLS_PER_SECOND: u32 = 1_000_000;

/// How far a connection has come.
pub(super) enum Stage {
    /// Connected; has not said what it wants.
    Greeting { until_ns: u64 },
    /// Welcomed and LIVE; has not said Ready.
    Admitted { until_ns: u64, parcel: Parcel },
    /// Has its descriptors.
    Attached { bells: u32, second: u64 },
}

/// One connected peer.
pub(super) struct Connection {
    pub(super) socket: Arc<OwnedFd>,
    pub(super) pidfd: Option<OwnedFd>,
    pub(super) liveness: Liveness,
    pub(super) peer: Peer,
    pub(super) stage: Stage,
}

impl Stage {
    /// A peer that has just connected.
    pub(super) fn greeting() -> Self {
        Stage::Greeting { until_ns: monotonic_ns() + STEP_NS }
    }
}

impl Connection {
    pub(super) fn is_unfinished(&self) -> bool {
        self.until_ns().is_some()
    }

    /// When its handshake must be over.
    pub(super) fn until_ns(&self) -> Option<u64> {
        match self.stage {
            Stage::Greeting { until_ns } | Stage::Admitted { until_ns, .. } => Some(until_ns),
            Stage::Attached { .. } => None,
        }
    }

    pub(super) fn welcome(
        &mut self,
        lane: &dyn Served,
        id: u32,
        hello: &Hello,
        mode: Mode,
    ) -> Result<()> {
        let (parcel, welcome) = handshake::admit(lane, id, self.peer, &self.socket, hello, mode)?;
        self.stage = Stage::Admitted { until_ns: monotonic_ns() + STEP_NS, parcel };
        socket::send(&*self.socket, welcome.as_bytes())
            .map_err(|errno| Error::system("sending a welcome", errno))
    }

    pub(super) fn count_bell(&mut self) -> Result<()> {
        let now = monotonic_ns() / 1_000_000_000;
        let Stage::Attached { bells, second } = &mut self.stage else {
            return Err(protocol("a release bell before the handshake was over"));
        };
        if *second != now {
            (*second, *bells) = (now, 0);
        }
        *bells += 1;
        if *bells > BELLS_PER_SECOND {
            return Err(protocol(format!(
                "more than {BELLS_PER_SECOND} release bells in a second"
            )));
        }
        Ok(())
    }
}
