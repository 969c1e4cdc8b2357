//! Reading a lane while events come.

use super::progress::Progress;
use super::recorder::Recorder;
use super::triggers::{Order, Trigger, Triggers};
use super::{Args, pre};
use crate::interrupt::Interrupt;
use crate::units;
use anyhow::Context;
use framelane::{ErrorKind, Record, StreamReader, StreamReaderOptions, StreamStart, monotonic_ns};
use std::time::{Duration, Instant};

/// How soon a signal, an event or the end of the time is noticed while no records come.
const SLICE: Duration = Duration::from_millis(50);
/// A key record is taken that lies this much further back than asked, for the time that seeking
/// itself takes.
const MARGIN: Duration = Duration::from_millis(5);
const TRIES: usize = 10;

pub struct Session<'a> {
    args: &'a Args,
    interrupt: &'a Interrupt,
    reader: StreamReader,
    triggers: Option<Triggers>,
    pub recorder: Recorder,
    progress: Progress,
    /// Until when is recorded; None while waiting for one.
    event: Option<Event>,
    pub events: u64,
    pub lapped: u64,
    /// The file that its beginning has been told of.
    told: usize,
    over: bool,
}

#[derive(Clone, Copy)]
struct Event {
    until_ns: u64,
}

impl<'a> Session<'a> {
    /// Attaches to the lane, and begins with it where no event is waited for. None when somebody
    /// lost patience before it was there.
    pub fn open(
        args: &'a Args,
        interrupt: &'a Interrupt,
        recorder: Recorder,
    ) -> anyhow::Result<Option<Session<'a>>> {
        let triggers = match args.triggers() {
            [Trigger::Start] => None,
            triggers => Some(Triggers::listen(triggers)?),
        };
        let start = if triggers.is_some() { StreamStart::Next } else { StreamStart::KeyBefore };
        let options = StreamReaderOptions::new()
            .lossless(args.lossless)
            .start(start)
            .start_age(args.pre.unwrap_or_default())
            .reattach(!args.until_end);
        let Some(reader) = wait_for_lane(args, options, interrupt)? else { return Ok(None) };
        let mut session = Session {
            args,
            interrupt,
            reader,
            triggers,
            recorder,
            progress: Progress::new(),
            event: None,
            events: 0,
            lapped: 0,
            told: 0,
            over: false,
        };
        if session.triggers.is_none() {
            let now = monotonic_ns();
            let length = args.duration.map_or(u64::MAX, units::nanoseconds);
            session.event = Some(Event { until_ns: now.saturating_add(length) });
            session.events = 1;
            session.recorder.begin(now);
            // A lossless reader cannot go back; it began at the right place as near as can be.
            if !args.lossless {
                session.go_back(now)?;
            }
        }
        Ok(Some(session))
    }

    /// Records until it is over.
    pub fn run(&mut self) -> anyhow::Result<()> {
        while !self.interrupt.asked() && !self.over {
            self.obey()?;
            match self.event {
                Some(event) => self.record(event)?,
                None => self.idle()?,
            }
            self.progress.show(self.recorder.output(), self.event.is_some());
        }
        Ok(())
    }

    /// Says what kept for its own line.
    pub fn end_progress(&mut self) {
        self.progress.end();
    }

    /// Does what triggers say.
    fn obey(&mut self) -> anyhow::Result<()> {
        while let Some(order) = self.triggers.as_mut().and_then(Triggers::next) {
            match order {
                Order::Event(at_ns) => self.happen(at_ns)?,
                Order::Stop => self.end_event()?,
                Order::Quit => self.over = true,
                Order::Over => {}
                Order::Failed(error) => return Err(error),
            }
        }
        let exhausted = self.triggers.as_ref().is_some_and(Triggers::are_over)
            || self.args.events.is_some_and(|most| self.events >= most);
        if self.triggers.is_some() && exhausted && self.event.is_none() {
            self.over = true;
        }
        Ok(())
    }

    /// Begins a file, or goes on longer with the one that is being written.
    fn happen(&mut self, at_ns: u64) -> anyhow::Result<()> {
        if self.event.is_none() && self.args.events.is_some_and(|most| self.events >= most) {
            return Ok(());
        }
        self.events += 1;
        let until_ns = at_ns.saturating_add(units::nanoseconds(self.args.post));
        if let Some(event) = &mut self.event {
            event.until_ns = event.until_ns.max(until_ns);
            return Ok(());
        }
        self.event = Some(Event { until_ns });
        self.recorder.begin(at_ns);
        if !self.go_back(at_ns)? {
            tracing::warn!("lane {:?} holds no key record; one was asked for", self.args.lane);
        }
        Ok(())
    }

    /// Goes to the newest key record that is old enough. False where there is none: it was asked
    /// for, and is waited for.
    fn go_back(&mut self, at_ns: u64) -> anyhow::Result<bool> {
        let asked = self.args.pre.unwrap_or_default();
        for _ in 0..TRIES {
            let now = monotonic_ns();
            let passed = Duration::from_nanos(now.saturating_sub(at_ns));
            match self.reader.seek(StreamStart::KeyBefore, asked + passed + MARGIN) {
                Ok(()) => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::NoKeyFrame | ErrorKind::NotFound) =>
                {
                    return Ok(false);
                }
                Err(error) => return Err(error.into()),
            }
            if monotonic_ns() - now < MARGIN.as_nanos() as u64 {
                break;
            }
            // Held up meanwhile: the record may be younger than meant.
        }
        Ok(true)
    }

    fn end_event(&mut self) -> anyhow::Result<()> {
        if self.triggers.is_none() {
            self.over = true;
        }
        self.event = None;
        self.recorder.finish()
    }

    /// Stays attached, so that an encoder goes on, and passes over what comes.
    fn idle(&mut self) -> anyhow::Result<()> {
        match self.reader.wait(SLICE) {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) if error.kind() == ErrorKind::Disconnected => {
                self.over = true;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        match self.reader.seek(StreamStart::Next, Duration::ZERO) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            outcome => Ok(outcome?),
        }
    }

    fn record(&mut self, event: Event) -> anyhow::Result<()> {
        let record = match self.reader.next(SLICE) {
            Ok(Some(record)) => record,
            Ok(None) if monotonic_ns() > event.until_ns => return self.end_event(),
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Lapped => {
                self.lapped += 1;
                self.recorder.counts.missed += error.missed();
                tracing::warn!("{error}");
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::Disconnected => {
                self.over = true;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        if record.info().publish_ns > event.until_ns {
            return self.end_event();
        }
        if self.recorder.take(&record)? {
            self.tell_beginning(&record);
        }
        let written = self.recorder.records();
        if self.args.frames.is_some_and(|enough| written >= enough) {
            self.over = true;
        }
        Ok(())
    }

    /// Says once for each event how far back it really goes, where that is not as asked.
    fn tell_beginning(&mut self, record: &Record) {
        let Some(pre_ns) = self.recorder.pre_ns() else { return };
        let number = self.recorder.files.len() + 1;
        if self.told == number {
            return;
        }
        self.told = number;
        let asked = self.args.pre.unwrap_or_default();
        if let Some(text) = pre::remark(&self.args.lane, record, pre_ns, units::nanoseconds(asked))
        {
            self.progress.end();
            tracing::warn!("{text}");
        }
    }
}

/// In slices: somebody may lose patience before it is there.
fn wait_for_lane(
    args: &Args,
    options: StreamReaderOptions,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<StreamReader>> {
    let start = Instant::now();
    let options = options.wait_for_lane(SLICE);
    while !interrupt.asked() {
        match StreamReader::open(&args.lane, options.clone()) {
            Err(error) if error.kind() == ErrorKind::NotFound && start.elapsed() < args.wait => {}
            outcome => return outcome.map(Some).context("recording"),
        }
    }
    Ok(None)
}
