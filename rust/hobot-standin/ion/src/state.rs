//! The table itself: pure data and its rules.

use crate::faults::Fault;
use crate::scene::{Light, Scene, brightness_at};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// First bus address; far from anything an address of a process could be taken for.
const FIRST_PHYS: u64 = 0x1_0000_0000;

/// A process that holds a buffer. The start time tells it from a later one of the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// When it started, in ticks.
    pub start: u64,
    /// References: the allocation and each import.
    pub clients: u32,
    /// Uses it has announced.
    pub consumes: u32,
}

/// One buffer of memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Name of its file in the folder.
    pub file: String,
    /// Bus address of its first byte.
    pub phys: u64,
    /// Size, whole pages.
    pub bytes: u64,
    /// As it was allocated.
    pub flags: i64,
    /// Who holds it.
    pub holders: Vec<Holder>,
}

impl Record {
    /// References of all processes.
    pub fn clients(&self) -> u32 {
        self.holders.iter().map(|holder| holder.clients).sum()
    }

    /// Announced uses of all processes.
    pub fn consumes(&self) -> u32 {
        self.holders.iter().map(|holder| holder.consumes).sum()
    }
}

/// Everything the processes share. What the table of an older build has not is as at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    next_phys: u64,
    next_file: u64,
    /// Buffers by share id.
    pub buffers: BTreeMap<i32, Record>,
    /// Faults to play.
    pub faults: Vec<Fault>,
    /// What the cameras see, by number.
    pub scenes: BTreeMap<u32, Scene>,
    /// How their light changes with their exposures.
    pub scripts: BTreeMap<u32, Vec<Light>>,
}

impl Default for State {
    fn default() -> Self {
        State {
            next_phys: FIRST_PHYS,
            next_file: 0,
            buffers: BTreeMap::new(),
            faults: Vec::new(),
            scenes: BTreeMap::new(),
            scripts: BTreeMap::new(),
        }
    }
}

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) start: u64,
}

impl State {
    /// A new buffer held once by `process`, under the lowest share id that is free.
    pub(crate) fn allocate(&mut self, process: Process, bytes: u64, flags: i64) -> (i32, Record) {
        let taken = |id: &i32| !self.buffers.contains_key(id);
        let id = (1..).find(taken).expect("fewer than 2^31 buffers");
        let record = Record {
            file: format!("buffer-{}", self.next_file),
            phys: self.next_phys,
            bytes,
            flags,
            holders: vec![holder(process)],
        };
        self.next_file += 1;
        // A page between two buffers, so that no range reaches from one into the next.
        self.next_phys += bytes + 4096;
        self.buffers.insert(id, record.clone());
        (id, record)
    }

    /// One reference more for `process`; nothing if the buffer is not there.
    pub(crate) fn take(&mut self, process: Process, id: i32) -> Option<Record> {
        let record = self.buffers.get_mut(&id)?;
        match find(record, process) {
            Some(holder) => holder.clients += 1,
            None => record.holders.push(holder(process)),
        }
        Some(record.clone())
    }

    /// One reference less for `process`; the file to delete if it was the last of all.
    pub(crate) fn drop_one(&mut self, process: Process, id: i32) -> Option<String> {
        let record = self.buffers.get_mut(&id)?;
        if let Some(holder) = find(record, process) {
            holder.clients -= 1;
        }
        record.holders.retain(|holder| holder.clients > 0);
        self.forget_if_unheld(id)
    }

    /// The buffer that a range of bus addresses lies in, and where in it the range begins.
    pub fn at_phys(&self, phys: u64, length: u64) -> Option<(Record, u64)> {
        self.buffers.values().find_map(|record| {
            let offset = phys.checked_sub(record.phys)?;
            let inside = offset.checked_add(length).is_some_and(|end| end <= record.bytes);
            inside.then(|| (record.clone(), offset))
        })
    }

    /// Adds to the uses that `process` has announced; whether it may.
    pub(crate) fn consume(&mut self, process: Process, id: i32, by: i32) -> bool {
        let record = self.buffers.get_mut(&id);
        let Some(holder) = record.and_then(|record| find(record, process)) else { return false };
        let changed = holder.consumes.checked_add_signed(by);
        changed.map(|count| holder.consumes = count).is_some()
    }

    /// What a camera sees at one exposure.
    pub(crate) fn scene_at(&self, camera: u32, exposure: u32) -> Scene {
        let scene = self.scenes.get(&camera).copied().unwrap_or_default();
        let scripted = self.scripts.get(&camera).and_then(|s| brightness_at(s, exposure));
        Scene { brightness: scripted.unwrap_or(scene.brightness), ..scene }
    }

    /// Drops what processes held that are no more; the files to delete.
    pub(crate) fn clear_dead(&mut self, alive: impl Fn(Process) -> bool) -> Vec<String> {
        let process = |h: &Holder| Process { pid: h.pid, start: h.start };
        let all: BTreeSet<_> =
            self.buffers.values().flat_map(|record| record.holders.iter().map(process)).collect();
        let dead: BTreeSet<_> = all.into_iter().filter(|process| !alive(*process)).collect();
        if dead.is_empty() {
            return Vec::new();
        }
        for record in self.buffers.values_mut() {
            record.holders.retain(|holder| !dead.contains(&process(holder)));
        }
        let ids: Vec<i32> = self.buffers.keys().copied().collect();
        ids.into_iter().filter_map(|id| self.forget_if_unheld(id)).collect()
    }

    fn forget_if_unheld(&mut self, id: i32) -> Option<String> {
        let unheld = self.buffers.get(&id).is_some_and(|record| record.holders.is_empty());
        unheld.then(|| self.buffers.remove(&id)).flatten().map(|record| record.file)
    }
}

fn holder(process: Process) -> Holder {
    Holder { pid: process.pid, start: process.start, clients: 1, consumes: 0 }
}

fn find(record: &mut Record, process: Process) -> Option<&mut Holder> {
    record.holders.iter_mut().find(|h| (h.pid, h.start) == (process.pid, process.start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Process = Process { pid: 1, start: 5 };
    const TWO: Process = Process { pid: 2, start: 6 };

    #[test]
    fn the_lowest_free_id_is_given_and_reused_when_the_last_holder_goes() {
        let mut state = State::default();
        let (first, a) = state.allocate(ONE, 4096, 0);
        let (second, b) = state.allocate(ONE, 4096, 0);
        assert_eq!((first, second), (1, 2));
        assert!(a.phys + a.bytes < b.phys, "addresses do not meet");
        assert_eq!(state.take(TWO, 1).unwrap().clients(), 2);
        assert_eq!(state.drop_one(ONE, 1), None, "somebody holds it");
        assert_eq!(state.drop_one(TWO, 1), Some(a.file));
        assert!(state.take(TWO, 1).is_none());
        let (again, c) = state.allocate(TWO, 4096, 0);
        assert_eq!(again, 1);
        assert_eq!(state.at_phys(c.phys + 96, 4000).unwrap().1, 96);
        assert!(state.at_phys(c.phys + 97, 4000).is_none(), "not to its end");
        assert!(state.at_phys(a.phys, 1).is_none(), "given up");
        assert_ne!(c.phys, a.phys);
    }

    #[test]
    fn what_the_dead_held_and_used_is_dropped() {
        let mut state = State::default();
        let (id, _) = state.allocate(ONE, 4096, 0);
        state.take(TWO, id);
        assert!(state.consume(TWO, id, 1));
        assert!(!state.consume(ONE, id, -1), "it has announced none");
        assert_eq!(state.clear_dead(|process| process != TWO), Vec::<String>::new());
        let record = &state.buffers[&id];
        assert_eq!((record.clients(), record.consumes()), (1, 0));
        assert_eq!(state.clear_dead(|_| false).len(), 1);
        assert!(state.buffers.is_empty());
    }
}
