//! The program: started in a process group of its own, which ends with us whatever happens.

use crate::error::Result;
use framelane::{Error, ErrorKind};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process_group};
use rustix::time::Timespec;
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Runs the command in `$1`, beside a watcher of our end of its standard input: when that closes,
/// which it does however we end, the watcher ends the whole group. The command itself reads
/// nothing.
const SCRIPT: &str = "exec 3<&0 </dev/null
{ trap '' TERM INT HUP; read -r _; kill -s KILL 0; } <&3 >/dev/null 2>&1 &
exec 3<&-
exec sh -c \"$1\"";

/// How long the group may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(2);
/// Room in the pipe, so that a moment without us costs the program nothing.
const PIPE: usize = 1 << 20;
/// Of one line of its log.
const LONGEST_LINE: usize = 1000;

pub(super) struct Child {
    process: std::process::Child,
    group: Pid,
    stdout: ChildStdout,
    /// Its closing ends the group.
    lifeline: Option<ChildStdin>,
    last_line: Arc<Mutex<String>>,
    logging: Option<JoinHandle<()>>,
    ended: bool,
}

/// What a read came to.
pub(super) enum Read {
    Bytes(usize),
    /// Nothing in time.
    Nothing,
    End,
}

impl Child {
    pub fn start(command: &str) -> Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", SCRIPT, "framelane", command]).process_group(0);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = shell.spawn().map_err(|error| failed("starting /bin/sh", &error))?;
        let (lifeline, stdout, stderr) =
            (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let group = Pid::from_child(&process);
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
            return Err(Error::new(ErrorKind::Internal, "a child without its pipes"));
        };
        // More is better and not needed.
        let _ = rustix::pipe::fcntl_setpipe_size(&stdout, PIPE);
        let last_line = Arc::default();
        let (logging, ended) = (None, false);
        let mut child = Child { process, group, stdout, lifeline, last_line, logging, ended };
        let flags = fcntl_getfl(&child.stdout).map_err(io::Error::from);
        let set = flags.and_then(|flags| {
            fcntl_setfl(&child.stdout, flags | OFlags::NONBLOCK).map_err(io::Error::from)
        });
        set.map_err(|error| failed("the child's output", &error))?;
        let into = child.last_line.clone();
        // It ends when nobody has the pipe any more, which may be after us: never joined.
        let reading = std::thread::Builder::new().name("command-log".into());
        let logging = reading.spawn(move || log(stderr, &into));
        child.logging = Some(logging.map_err(|error| failed("starting a thread", &error))?);
        tracing::info!("{command:?} runs as process {}", child.process.id());
        Ok(child)
    }

    /// Reads what is there, waiting up to `timeout`.
    pub fn read(&mut self, into: &mut [u8], timeout: Duration) -> Result<Read> {
        let timeout =
            Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: timeout.subsec_nanos().into() };
        let waited = poll(&mut [PollFd::new(&self.stdout, PollFlags::IN)], Some(&timeout));
        match waited {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(Read::Nothing),
            Ok(_) => {}
            Err(error) => return Err(failed("waiting for a child", &error.into())),
        }
        match self.stdout.read(into) {
            Ok(0) => Ok(Read::End),
            Ok(count) => Ok(Read::Bytes(count)),
            Err(error) if again(&error) => Ok(Read::Nothing),
            Err(error) => Err(failed("reading from a child", &error)),
        }
    }

    /// Ends the group, if it has not ended by itself; how its first process ended, and the last
    /// line it logged.
    pub fn end(mut self) -> (ExitStatus, String) {
        let status = self.stop();
        // Its last words may still be on their way; somebody who left the group may keep the pipe.
        let end = Instant::now() + GRACE;
        while self.logging.as_ref().is_some_and(|log| !log.is_finished()) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        let last = self.last_line.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (status, if last.is_empty() { last } else { format!(", after saying {last:?}") })
    }

    fn stop(&mut self) -> ExitStatus {
        self.ended = true;
        // One that has closed its output may be about to end in its own way.
        let mut status = self.wait(GRACE / 8);
        if status.is_none() {
            let _ = kill_process_group(self.group, Signal::TERM);
            status = self.wait(GRACE);
        }
        // What is left of the group, the watcher at least.
        let _ = kill_process_group(self.group, Signal::KILL);
        drop(self.lifeline.take());
        status.or_else(|| self.process.wait().ok()).unwrap_or_default()
    }

    fn wait(&mut self, time: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + time;
        loop {
            // The watcher is still in the group, so that its number stays ours.
            match self.process.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(10)),
                _ => return None,
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.ended {
            self.stop();
        }
    }
}

/// Passes the lines of a log on to ours, and keeps the last.
fn log(mut from: ChildStderr, last: &Mutex<String>) {
    let (mut buffer, mut line) = ([0; 4096], Vec::new());
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if again(&error) => continue,
            Err(_) => break,
        };
        for &byte in &buffer[..count] {
            match byte {
                b'\n' | b'\r' => tell(&mut line, last),
                _ if line.len() < LONGEST_LINE => line.push(byte),
                _ => {}
            }
        }
    }
    tell(&mut line, last);
}

fn tell(line: &mut Vec<u8>, last: &Mutex<String>) {
    let text = String::from_utf8_lossy(line).trim().to_owned();
    line.clear();
    if !text.is_empty() {
        // Quoted: what it writes must not move our cursor.
        tracing::info!("it says {text:?}");
        *last.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}

fn again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}

fn failed(what: &str, error: &io::Error) -> Error {
    Error::new(ErrorKind::System, format!("{what}: {error}"))
}
