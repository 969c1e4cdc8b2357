//! Python's shared memory as a rival: a program of its own, which answers in lines as our roles do.

use anyhow::{Context, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const PROGRAM: &str = include_str!("shared_memory.py");
/// Seconds for one answer.
const PATIENCE: i64 = 60;

pub struct Python {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// Writer and readers, attached.
    pub fn start(bytes: usize, readers: usize, every_ns: u64) -> Result<Self> {
        let arguments = [bytes.to_string(), readers.to_string(), every_ns.to_string()];
        let mut process = Command::new("python3")
            .args(["-c", PROGRAM])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("python3")?;
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().context("its output")?);
        let mut python = Python { process, orders, answers };
        ensure!(python.answer()? == "ready", "python3 is not ready");
        Ok(python)
    }

    /// Records a second.
    pub fn rate(&mut self, count: usize) -> Result<f64> {
        Ok(self.ask(&format!("rate {count}"))?.parse()?)
    }

    /// p50 and p99 in nanoseconds, of the slowest reader.
    pub fn one_way(&mut self, count: usize) -> Result<(f64, f64)> {
        let answer = self.ask(&format!("times {count}"))?;
        let (p50, p99) = answer.split_once(' ').context("two numbers")?;
        Ok((p50.parse()?, p99.parse()?))
    }

    fn ask(&mut self, order: &str) -> Result<String> {
        writeln!(self.orders.as_mut().context("it has ended")?, "{order}")?;
        self.answer()
    }

    fn answer(&mut self) -> Result<String> {
        if self.answers.buffer().is_empty() {
            let limit = Timespec { tv_sec: PATIENCE, tv_nsec: 0 };
            let mut fds = [PollFd::new(self.answers.get_ref(), PollFlags::IN)];
            ensure!(poll(&mut fds, Some(&limit))? > 0, "python3 gave no answer in {PATIENCE} s");
        }
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("python3 has ended");
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // The end of its input ends it and its readers; what does not end is ended.
        self.orders = None;
        let start = std::time::Instant::now();
        while start.elapsed().as_secs() < 3 {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
