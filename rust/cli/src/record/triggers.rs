//! What makes a recording begin: a signal, a line on standard input, a record of another lane.

use super::condition::Condition;
use anyhow::{Context, bail};
use framelane::{Error, ErrorKind, StreamReader, StreamReaderOptions, StreamStart, monotonic_ns};
use signal_hook::consts::SIGUSR1;
use signal_hook::iterator::Signals;
use std::io::BufRead;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

/// How soon a thread of these notices that it is not needed any more.
const SLICE: Duration = Duration::from_millis(100);
/// Between attempts at a lane that fails.
const PAUSES: Range<Duration> = Duration::from_millis(10)..Duration::from_secs(2);

/// One way to begin.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// At once.
    Start,
    /// At each SIGUSR1.
    Signal,
    /// As lines of standard input say.
    Command,
    /// At each record of a lane that fulfils the condition.
    Record { lane: String, condition: Condition },
}

impl FromStr for Trigger {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "start" => Ok(Trigger::Start),
            None if text == "signal" => Ok(Trigger::Signal),
            None if text == "command" => Ok(Trigger::Command),
            Some(("record", rest)) => {
                let split = rest.find('/').unwrap_or(rest.len());
                let (lane, condition) = rest.split_at(split);
                if lane.is_empty() {
                    return Err("record: needs the name of a lane".into());
                }
                Ok(Trigger::Record { lane: lane.to_owned(), condition: condition.parse()? })
            }
            _ => Err("there are start, signal, command and record:LANE[/PATH[=VALUE]]".into()),
        }
    }
}

/// What somebody wants of the recorder.
#[derive(Debug)]
pub enum Order {
    /// Something happened, at this time of CLOCK_MONOTONIC.
    Event(u64),
    /// End what is being recorded.
    Stop,
    /// End altogether.
    Quit,
    /// No more events of this kind will come.
    Over,
    /// It cannot be listened to any more.
    Failed(anyhow::Error),
}

/// The threads that listen, until this is dropped.
pub struct Triggers {
    orders: Receiver<Order>,
    over: Arc<AtomicBool>,
    /// Those from which events can still come.
    left: usize,
}

impl Triggers {
    /// Starts to listen.
    pub fn listen(triggers: &[Trigger]) -> anyhow::Result<Triggers> {
        let (sender, orders) = mpsc::channel();
        let over = Arc::new(AtomicBool::new(false));
        for trigger in triggers {
            let (sender, over) = (sender.clone(), over.clone());
            match trigger.clone() {
                Trigger::Start => bail!("start is no event"),
                Trigger::Signal => {
                    let mut signals = Signals::new([SIGUSR1])?;
                    spawn("signals", move || {
                        let send = |_| sender.send(Order::Event(monotonic_ns())).is_ok();
                        signals.forever().all(send);
                    })?;
                }
                Trigger::Command => spawn("commands", move || commands(&sender))?,
                Trigger::Record { lane, condition } => spawn("detections", move || {
                    if let Err(error) = detections(&lane, &condition, &sender, &over) {
                        let error = error.context(format!("lane {lane:?} of the trigger"));
                        let _ = sender.send(Order::Failed(error.into()));
                    }
                })?,
            }
        }
        Ok(Triggers { orders, over, left: triggers.len() })
    }

    /// The next order, if there is one now.
    pub fn next(&mut self) -> Option<Order> {
        let order = self.orders.try_recv().ok()?;
        self.left -= usize::from(matches!(order, Order::Over));
        Some(order)
    }

    /// Whether no event can come any more.
    pub fn are_over(&self) -> bool {
        self.left == 0
    }
}

impl Drop for Triggers {
    fn drop(&mut self) {
        // The threads are not waited for: one may sit in a read of standard input.
        self.over.store(true, Ordering::Relaxed);
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(run).context("starting a thread for the triggers").map(drop)
}

fn commands(sender: &Sender<Order>) {
    for line in std::io::stdin().lock().lines() {
        let order = match line.as_deref().map(str::trim) {
            Ok("") => continue,
            Ok("trigger") => Order::Event(monotonic_ns()),
            Ok("stop") => Order::Stop,
            Ok("quit") => Order::Quit,
            Ok(other) => {
                tracing::warn!("{other:?} is no command; there are trigger, stop and quit");
                continue;
            }
            Err(_) => break,
        };
        if sender.send(order).is_err() {
            return;
        }
    }
    let _ = sender.send(Order::Over);
}

/// Events out of a lane; its writer may come and go, and whatever it does, the recording goes on.
///
/// # Errors
/// A name that no lane can have.
fn detections(
    lane: &str,
    condition: &Condition,
    sender: &Sender<Order>,
    over: &AtomicBool,
) -> framelane::Result<()> {
    let mut trouble = Trouble::new(lane);
    let mut unlike = false;
    while let Some(mut reader) = attach(lane, &mut trouble, over)? {
        while !over.load(Ordering::Relaxed) {
            let record = match reader.next(SLICE) {
                Ok(Some(record)) => record,
                Ok(None) => continue,
                Err(error) if error.kind() == ErrorKind::Lapped => continue,
                Err(error) => {
                    trouble.come(&error, over);
                    match error.kind() {
                        ErrorKind::Protocol => continue,
                        _ => break,
                    }
                }
            };
            trouble.over();
            match condition.holds(record.bytes()) {
                Ok(true) if sender.send(Order::Event(record.info().publish_ns)).is_err() => {
                    return Ok(());
                }
                Ok(_) => {}
                Err(error) if !unlike => {
                    tracing::warn!("record {} of lane {lane}: {error}", record.sequence());
                    unlike = true;
                }
                Err(_) => {}
            }
        }
    }
    Ok(())
}

/// A reader of what comes next in the lane; None when it is not needed any more.
fn attach(
    lane: &str,
    trouble: &mut Trouble<'_>,
    over: &AtomicBool,
) -> framelane::Result<Option<StreamReader>> {
    let options = StreamReaderOptions::new().start(StreamStart::Next).wait_for_lane(SLICE);
    while !over.load(Ordering::Relaxed) {
        match StreamReader::open(lane, options.clone()) {
            Ok(reader) => return Ok(Some(reader)),
            Err(error) => match error.kind() {
                ErrorKind::NotFound => {}
                ErrorKind::InvalidName | ErrorKind::InvalidArgument => return Err(error),
                _ => trouble.come(&error, over),
            },
        }
    }
    Ok(None)
}

/// Errors of a lane: each kind is told of once, and they are waited out, longer each time.
struct Trouble<'a> {
    lane: &'a str,
    told: Vec<ErrorKind>,
    pause: Duration,
}

impl<'a> Trouble<'a> {
    fn new(lane: &'a str) -> Self {
        Trouble { lane, told: Vec::new(), pause: PAUSES.start }
    }

    fn come(&mut self, error: &Error, over: &AtomicBool) {
        if !self.told.contains(&error.kind()) {
            tracing::warn!("lane {} of the trigger: {error}; going on", self.lane);
            self.told.push(error.kind());
        }
        let end = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(PAUSES.end);
        while !over.load(Ordering::Relaxed) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(SLICE));
        }
    }

    /// A record came.
    fn over(&mut self) {
        self.pause = PAUSES.start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_are_named_as_on_the_command_line() {
        let read = |text: &str| text.parse::<Trigger>();
        assert_eq!(read("start"), Ok(Trigger::Start));
        let Ok(Trigger::Record { lane, .. }) = read("record:cats/objects/*/label=cat") else {
            panic!("not read")
        };
        assert_eq!(lane, "cats");
        assert!(matches!(read("record:cats"), Ok(Trigger::Record { .. })));
        for bad in ["", "record", "record:", "record:/a", "start:now", "SIGUSR1"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn trouble_is_waited_out_longer_each_time_and_told_once_of_a_kind() {
        let over = AtomicBool::new(true);
        let mut trouble = Trouble::new("cats");
        let kinds = [ErrorKind::Protocol, ErrorKind::TimedOut, ErrorKind::Protocol];
        for (kind, pause) in kinds.into_iter().zip([20, 40, 80]) {
            trouble.come(&Error::new(kind, "as it happens"), &over);
            assert_eq!(trouble.pause, Duration::from_millis(pause));
        }
        assert_eq!(trouble.told, kinds[..2]);
        (0..30).for_each(|_| trouble.come(&Error::new(kinds[0], ""), &over));
        assert_eq!(trouble.pause, PAUSES.end);
        trouble.over();
        assert_eq!(trouble.pause, PAUSES.start);
    }
}
