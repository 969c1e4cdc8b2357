//! One mechanism's set of processes, alive over all rounds of a row, seen from the parent.

use crate::control::Flow;
use crate::lanes::{Name, Setup, Wait};
use crate::role::{Part, Role, Task};
use crate::session;
use crate::shared::Shared;
use anyhow::{Context, Result, anyhow, bail};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::time::Timespec;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Longest time a child may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where processes run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cpus {
    /// All on processor 0.
    One,
    /// Producer on 0, consumers on 1.
    Two,
    /// Wherever the scheduler puts them.
    Any,
}

/// What a row asks of one mechanism.
#[derive(Clone)]
pub struct Entry {
    pub label: String,
    pub lane: Name,
    pub wait: Wait,
    pub task: Task,
    pub cpus: Cpus,
    pub width: u32,
    pub height: u32,
    pub consumers: usize,
    pub other_user: bool,
    pub defaults: bool,
    /// Takes part in every so many rounds only: slow ones, whose figures nobody needs exactly.
    pub every: usize,
}

impl Entry {
    pub fn new(label: &str, lane: Name, wait: Wait, task: Task) -> Self {
        Entry {
            label: label.to_owned(),
            lane,
            wait,
            task,
            cpus: Cpus::Any,
            width: 640,
            height: 480,
            consumers: 1,
            other_user: false,
            defaults: false,
            every: 1,
        }
    }
}

/// A child and how to talk to it.
struct Actor {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    part: Part,
}

/// The processes of one entry.
pub struct Contest {
    pub entry: Entry,
    pub shared: Shared,
    setup: Setup,
    producer: Option<Actor>,
    consumers: Vec<Actor>,
    /// Everything the mechanism leaves in the file system.
    _place: tempfile::TempDir,
    /// Inherited by children; kept open for those that come later.
    _inherited: Vec<OwnedFd>,
}

impl Contest {
    /// Makes shared memory and directory, but no process yet.
    pub fn prepare(entry: Entry) -> Result<Contest> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Relaxed);
        let place = tempfile::Builder::new().prefix(&session::place_prefix()).tempdir()?;
        if entry.other_user {
            open_to_all(place.path())?;
        }
        let slot_bytes = match entry.lane {
            Name::Bare | Name::Floor => entry.width as usize * entry.height as usize * 3 / 2,
            _ => 0,
        };
        let (memory, shared) = Shared::create(slot_bytes)?;
        let mut inherited = Vec::new();
        if entry.lane == Name::Bare && entry.wait == Wait::Fd {
            for _ in 0..entry.consumers {
                inherited.push(eventfd(0, EventfdFlags::empty())?);
            }
        }
        let setup = Setup {
            place: place.path().to_owned(),
            name: session::contest_name(number),
            width: entry.width,
            height: entry.height,
            consumers: entry.consumers,
            wait: entry.wait,
            other_user: entry.other_user,
            memory: memory.as_raw_fd(),
            slot_bytes,
            eventfds: inherited.iter().map(AsRawFd::as_raw_fd).collect(),
            ordered: entry.task == Task::Copy,
            defaults: entry.defaults,
        };
        inherited.push(memory);
        let (producer, consumers) = (None, Vec::new());
        Ok(Contest {
            entry,
            shared,
            setup,
            producer,
            consumers,
            _place: place,
            _inherited: inherited,
        })
    }

    /// Everybody attached and ready.
    pub fn start(entry: Entry) -> Result<Contest> {
        let mut contest = Contest::prepare(entry)?;
        contest.start_producer(contest.entry.task)?;
        let in_one_process =
            matches!(contest.entry.task, Task::HandOff | Task::Clock | Task::Memory | Task::Memcpy);
        if !in_one_process {
            (0..contest.entry.consumers).try_for_each(|index| contest.start_consumer(index))?;
        }
        Ok(contest)
    }

    pub fn start_producer(&mut self, task: Task) -> Result<()> {
        let actor = self.actor(Part::Producer, task)?;
        self.producer.insert(actor).expect("ready").with_context(|| self.entry.label.clone())
    }

    pub fn start_consumer(&mut self, index: usize) -> Result<()> {
        let mut actor = self.actor(Part::Consumer(index), self.entry.task)?;
        actor.expect("ready").with_context(|| self.entry.label.clone())?;
        self.consumers.push(actor);
        Ok(())
    }

    /// Runs a consumer that does its task once, to its end.
    pub fn run_consumer(&self, task: Task) -> Result<()> {
        let mut actor = self.actor(Part::Consumer(0), task)?;
        actor.expect("ok").with_context(|| self.entry.label.clone())?;
        actor.process.wait()?;
        Ok(())
    }

    /// One batch of `count` frames by everybody.
    pub fn batch(&mut self, count: usize) -> Result<()> {
        Flow::reset(&self.shared);
        let order = format!("go {count}");
        let mut actors: Vec<&mut Actor> =
            self.consumers.iter_mut().chain(&mut self.producer).collect();
        let mut run = || {
            actors.iter_mut().try_for_each(|actor| actor.order(&order))?;
            actors.iter_mut().try_for_each(|actor| actor.expect("ok"))
        };
        run().with_context(|| self.entry.label.clone())
    }

    /// Orders one side alone.
    pub fn begin(&mut self, part: Part, count: usize) -> Result<()> {
        self.find(part)?.order(&format!("go {count}"))
    }

    /// Waits for the answer of one side.
    pub fn finish(&mut self, part: Part) -> Result<()> {
        self.find(part)?.expect("ok").with_context(|| self.entry.label.clone())
    }

    /// kill -9 of one side.
    pub fn kill(&mut self, part: Part) -> Result<()> {
        let actor = self.find(part)?;
        actor.process.kill()?;
        actor.process.wait()?;
        Ok(())
    }

    fn find(&mut self, part: Part) -> Result<&mut Actor> {
        let mut actors = self.consumers.iter_mut().chain(&mut self.producer);
        actors.find(|actor| actor.part == part).context("nobody has this part")
    }

    fn actor(&self, part: Part, task: Task) -> Result<Actor> {
        let cpu = match (self.entry.cpus, part) {
            (Cpus::Any, _) => None,
            (Cpus::One, _) | (Cpus::Two, Part::Producer) => Some(0),
            (Cpus::Two, Part::Consumer(_)) => Some(1),
        };
        let role = Role { lane: self.entry.lane, part, task, setup: self.setup.clone(), cpu };
        let mut process = Command::new(std::env::current_exe()?)
            .arg("role")
            .arg(serde_json::to_string(&role)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting a role")?;
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().context("its output")?);
        Ok(Actor { process, orders, answers, part })
    }
}

impl Drop for Contest {
    fn drop(&mut self) {
        // Consumers first, as in an orderly end; whoever was killed is gone already.
        for actor in self.consumers.iter_mut().chain(&mut self.producer) {
            actor.end();
        }
        // iceoryx2 keeps shared memory of killed processes under names of its own.
        let prefix = crate::lanes::iceoryx::prefix(&self.setup);
        let left_over = std::fs::read_dir("/dev/shm").into_iter().flatten().flatten();
        for entry in left_over.filter(|e| e.file_name().to_string_lossy().starts_with(&prefix)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

impl Actor {
    fn order(&mut self, text: &str) -> Result<()> {
        let orders = self.orders.as_mut().context("it was told to end")?;
        writeln!(orders, "{text}").context("a role has ended")
    }

    fn expect(&mut self, wanted: &str) -> Result<()> {
        if self.answers.buffer().is_empty() {
            let limit = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
            let mut fds = [PollFd::new(self.answers.get_ref(), PollFlags::IN)];
            if poll(&mut fds, Some(&limit))? == 0 {
                let _ = self.process.kill();
                bail!("{:?} gave no answer within {} s", self.part, PATIENCE.as_secs());
            }
        }
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        match line.trim_end() {
            text if text == wanted => Ok(()),
            "" => Err(anyhow!("{:?} ended", self.part)),
            text => Err(anyhow!("{:?} says {text}", self.part)),
        }
    }

    /// Closes its input and gives it a moment to clean up.
    fn end(&mut self) {
        self.orders = None;
        let limit = Instant::now() + Duration::from_secs(2);
        while Instant::now() < limit {
            match self.process.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Consumers of another user must reach what is inside.
fn open_to_all(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}
