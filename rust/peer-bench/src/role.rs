//! What a child process does: one side of one mechanism, batch after batch, on command.
//!
//! A child says `ready` once it is set up. Each line `go <n>` on its standard input runs a batch
//! of n frames and is answered with `ok` or `error <text>`; the end of its input ends it.

#[cfg(has_boost)]
use crate::lanes::boost::Boost;
use crate::lanes::records::{Live, Lossless, Records};
use crate::lanes::seqpacket::Seqpacket;
use crate::lanes::shmbuf::Shmbuf;
use crate::lanes::stream::{Pipe, Stream, Tcp, Unix};
use crate::lanes::{Lane, Name, Setup};
use crate::lanes::{bare::Bare, floor::Floor, framelane::Framelane, iceoryx::Iceoryx};
use crate::shared::Shared;
use crate::tasks::{attach, clock, copy, death, hand_off, memory, one_way, pour};
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, set_parent_process_death_signal};
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Write};

/// Which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    Producer,
    Consumer(usize),
}

/// What is done with each frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Both sides in one thread, as fast as it goes.
    HandOff,
    /// The price of one look at the clock.
    Clock,
    /// One frame at a time, sent once everybody sleeps or spins again; `every_ns` apart if not 0.
    OneWay { every_ns: u64, inspect: bool },
    /// Copy in, read everything, at most two frames unread.
    Copy,
    /// Through a ring that keeps both sides in step by itself; nobody looks at a byte.
    Pour,
    /// The copies of that alone, by one process.
    Memcpy,
    /// Producer: frames at a steady pace until told to end.
    Feed { every_ns: u64 },
    /// Consumer: attaches, takes one frame, ends.
    Attach { started_ns: u64 },
    /// Both sides in one process, each consumer holding a frame: how much memory that takes.
    Memory,
    /// Consumer: holds a frame until killed. Producer: says when it has noticed.
    Holder,
    /// Consumer: sleeps until told that the producer is gone.
    Widow,
}

/// A child's orders.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Role {
    pub lane: Name,
    pub part: Part,
    pub task: Task,
    pub setup: Setup,
    /// Processor to stay on.
    pub cpu: Option<usize>,
}

/// Somebody unprivileged.
const NOBODY: u32 = 65534;

/// Runs a child to its end.
pub fn run(orders: &str) -> Result<()> {
    let role: Role = serde_json::from_str(orders).context("orders")?;
    if role.setup.other_user && matches!(role.part, Part::Consumer(_)) {
        become_nobody()?;
    }
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if let Some(cpu) = role.cpu {
        let mut set = CpuSet::new();
        set.set(cpu);
        sched_setaffinity(None::<Pid>, &set).context("pinning")?;
    }
    let shared = Box::leak(Box::new(Shared::map(role.setup.memory, role.setup.slot_bytes)?));
    match role.lane {
        Name::Bare => perform::<Bare>(&role, shared),
        Name::Floor => perform::<Floor>(&role, shared),
        Name::Framelane => perform::<Framelane>(&role, shared),
        Name::Iceoryx => perform::<Iceoryx>(&role, shared),
        Name::Unix => perform::<Stream<Unix>>(&role, shared),
        Name::Tcp => perform::<Stream<Tcp>>(&role, shared),
        Name::Pipe => perform::<Stream<Pipe>>(&role, shared),
        Name::Seqpacket => perform::<Stream<Seqpacket>>(&role, shared),
        #[cfg(has_boost)]
        Name::Boost => perform::<Boost>(&role, shared),
        #[cfg(not(has_boost))]
        Name::Boost => anyhow::bail!("built without Boost's headers"),
        Name::RecordsLive => perform::<Records<Live>>(&role, shared),
        Name::RecordsLossless => perform::<Records<Lossless>>(&role, shared),
        Name::Shmbuf => perform::<Shmbuf>(&role, shared),
    }
}

/// Before anything else: this process has one thread still.
fn become_nobody() -> Result<()> {
    use rustix::process::{Gid, Uid};
    use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
    let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    set_thread_groups(&[]).context("setgroups")?;
    set_thread_res_gid(gid, gid, gid).context("setresgid")?;
    set_thread_res_uid(uid, uid, uid).context("setresuid")
}

fn perform<L: Lane>(role: &Role, shared: &'static Shared) -> Result<()> {
    match (role.task, role.part) {
        (Task::HandOff, _) => hand_off::both::<L>(role, shared),
        (Task::Clock, _) => clock::run(shared),
        (Task::Memory, _) => memory::both::<L>(role, shared),
        (Task::OneWay { every_ns, .. }, Part::Producer) => {
            one_way::producer::<L>(role, shared, every_ns)
        }
        (Task::OneWay { inspect, .. }, Part::Consumer(index)) => {
            one_way::consumer::<L>(role, shared, index, inspect)
        }
        (Task::Copy, Part::Producer) => copy::producer::<L>(role, shared),
        (Task::Copy, Part::Consumer(index)) => copy::consumer::<L>(role, shared, index),
        (Task::Pour, Part::Producer) => pour::producer::<L>(role, shared),
        (Task::Pour, Part::Consumer(index)) => pour::consumer::<L>(role, shared, index),
        (Task::Memcpy, _) => pour::memcpy(role, shared),
        (Task::Feed { every_ns }, _) => attach::feed::<L>(role, shared, every_ns),
        (Task::Attach { started_ns }, _) => attach::newcomer::<L>(role, shared, started_ns),
        (Task::Holder, Part::Producer) => death::watcher::<L>(role, shared),
        (Task::Holder, Part::Consumer(index)) => death::holder::<L>(role, shared, index),
        (Task::Widow, Part::Producer) => death::victim::<L>(role, shared),
        (Task::Widow, Part::Consumer(index)) => death::widow::<L>(role, shared, index),
    }
}

/// Says `ready` and runs batches until the input ends.
pub fn serve(mut batch: impl FnMut(usize) -> Result<()>) -> Result<()> {
    say("ready")?;
    let mut line = String::new();
    let mut input = std::io::stdin().lock();
    while input.read_line(&mut line)? > 0 {
        let count = line.trim().strip_prefix("go ").context("not an order")?.parse()?;
        batch(count)?;
        say("ok")?;
        line.clear();
    }
    Ok(())
}

/// Answers the parent.
pub fn say(text: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}")?;
    Ok(output.flush()?)
}
