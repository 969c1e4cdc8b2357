//! A reader's hold on a controller, through all its epochs.

use crate::consumer::{
    EpochOf, Link, Manner, Parcel, Reading, Tie, Wish, check_common, refuse_other, wrong,
};
use crate::error::{Result, protocol};
use crate::layout::limit::SWITCH_LANES;
use crate::layout::{LaneHeader, LaneKind, Mode, SwitchHeader, Welcome};
use crate::mem::map::Mapping;
use crate::mem::memfd;
use crate::mem::switch::{SWITCH_BYTES, SWITCH_HEADER, SwitchView};
use crate::mem::view::read_struct;
use crate::ring::switch as ring;
use crate::wire::message;
use rustix::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

/// One epoch of a switch.
pub(super) struct SwitchEpoch {
    tie: Tie,
    /// Random id of the controller incarnation.
    pub(super) epoch: u64,
    /// Names of the lanes, by index.
    pub(super) lanes: Vec<String>,
    view: Arc<SwitchView>,
}

impl SwitchEpoch {
    /// What is selected now, as the controller says: there may be no such lane.
    #[inline]
    pub(super) fn selected(&self) -> u64 {
        ring::selected(&*self.view)
    }
}

impl EpochOf for SwitchEpoch {
    fn tie(&self) -> &Tie {
        &self.tie
    }

    fn held(&self) -> u32 {
        0
    }

    /// The last word of a controller counts.
    fn outlives_producer(&self) -> bool {
        true
    }
}

/// The connection to whoever is the controller now.
pub(super) struct Control {
    pub(super) link: Link<SwitchEpoch>,
    /// The selection seen last of this epoch.
    pub(super) seen: u64,
}

impl Control {
    pub(super) fn new(name: &str, places: Option<PathBuf>, return_on_signal: bool) -> Result<Self> {
        let (mode, leases) = (Mode::Latest, 0);
        let wish = Wish { mode, leases, wants_writable: false, stream: None, switch: true };
        let manner = Manner { reattach: true, return_on_signal };
        Ok(Control { link: Link::new(name, places, wish, manner)?, seen: 0 })
    }
}

impl Reading for Control {
    type Epoch = SwitchEpoch;

    fn link(&self) -> &Link<SwitchEpoch> {
        &self.link
    }

    fn link_mut(&mut self) -> &mut Link<SwitchEpoch> {
        &mut self.link
    }

    #[inline]
    fn has_news(&self) -> bool {
        self.link.current.as_ref().is_some_and(|epoch| epoch.selected() != self.seen)
    }

    fn open_epoch(
        &self,
        mut parcel: Parcel,
        connection: OwnedFd,
        welcome: &Welcome,
    ) -> Result<SwitchEpoch> {
        let (view, name, epoch, lanes) = open_switch(&parcel.lane()?)?;
        refuse_other(&self.link.name, &name, epoch, welcome)?;
        let view = Arc::new(view);
        let (name, wish) = (&self.link.name, &self.link.wish);
        let tie = parcel.tie(name, wish, view.clone(), connection, welcome)?;
        Ok(SwitchEpoch { tie, epoch, lanes, view })
    }

    fn begin(&mut self, _epoch: &SwitchEpoch) {
        self.seen = 0;
    }
}

/// Memory of a switch, its name, epoch and lanes.
fn open_switch(fd: &OwnedFd) -> Result<(SwitchView, String, u64, Vec<String>)> {
    let bytes = memfd::settled_size(fd, "the switch's memory")?;
    if bytes < SWITCH_BYTES as u64 {
        return Err(protocol(format!("{bytes} bytes are too few for a switch")));
    }
    let map = Mapping::read_only(fd, bytes)?;
    // Copied once; only the copies are believed.
    let header: LaneHeader = read_struct(&map, 0);
    check_common(&header, LaneKind::Switch, bytes)?;
    let lanes = believed_lanes(&read_struct(&map, SWITCH_HEADER))?;
    map.populate()?;
    let name = message::text(&header.name)?.to_owned();
    Ok((SwitchView::new(map)?, name, header.epoch, lanes))
}

/// The names of the lanes, none of which is believed before.
pub(super) fn believed_lanes(header: &SwitchHeader) -> Result<Vec<String>> {
    if !(1..=SWITCH_LANES).contains(&header.member_count.into()) {
        return wrong("lanes of a switch", header.member_count.into());
    }
    let mut lanes: Vec<String> = Vec::new();
    for member in &header.members[..header.member_count as usize] {
        let name = message::text(&member.name)?;
        crate::name::validate(name).map_err(|error| protocol(format!("a switch of {error}")))?;
        if lanes.iter().any(|lane| lane == name) {
            return Err(protocol(format!("a switch with lane {name:?} twice")));
        }
        lanes.push(name.to_owned());
    }
    Ok(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::ErrorKind;
    use zerocopy::FromZeros;

    #[test]
    fn only_believable_lanes_are_believed() {
        let header = |names: &[&str]| {
            let mut header = SwitchHeader::new_zeroed();
            header.member_count = names.len() as u32;
            for (member, name) in header.members.iter_mut().zip(names) {
                message::put_text(&mut member.name, name);
            }
            header
        };
        assert_eq!(believed_lanes(&header(&["day", "night"])).unwrap(), ["day", "night"]);
        let refused = [&[][..], &["a"; 17], &["../a"], &["a", "b", "a"], &[""]];
        for names in refused {
            let error = believed_lanes(&header(names)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{names:?}: {error}");
        }
    }
}
