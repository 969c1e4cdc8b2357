//! A running agent: spoken to, listened to with a deadline, and never left behind.

use crate::cast::STAND_INS;
use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Lines of diagnostics kept for the report.
const KEPT: usize = 200;
const POLL: Duration = Duration::from_millis(100);

/// How an agent is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Its language.
    pub language: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables it gets beside the runner's own.
    pub env: BTreeMap<String, String>,
}

/// An agent's process.
pub struct Process {
    /// What it speaks.
    pub language: String,
    child: Child,
    input: ChildStdin,
    answers: Receiver<String>,
    diagnostics: Arc<Mutex<VecDeque<String>>>,
    listener: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts an agent in the top folder and waits until it is ready.
    pub fn start(launch: &Launch, root: &Path, lanes: &Path, patience: Patience) -> Result<Self> {
        let mut words = launch.command.iter();
        let program = words.next().context("no program")?;
        let mut child = Command::new(program)
            .args(words)
            .env("FRAMELANE_DIR", lanes)
            .env("FRAMELANE_HOBOT_DIR", lanes.join(STAND_INS))
            .envs(&launch.env)
            .current_dir(root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let input = child.stdin.take().context("no input")?;
        let (send, answers) = channel();
        let output = BufReader::new(child.stdout.take().context("no output")?);
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        let diagnostics = Arc::<Mutex<VecDeque<String>>>::default();
        let listener = keep_lines(child.stderr.take().context("no diagnostics")?, &diagnostics);
        let listener = Some(listener);
        let language = launch.language.clone();
        let mut process = Process { language, child, input, answers, diagnostics, listener };
        let ready = process.hear(patience).context("at its start")?;
        if ready != format!("ready language={}", launch.language) {
            bail!("the agent begins with {ready:?}");
        }
        Ok(process)
    }

    /// Sends a command, which must be answered well; what the answer names.
    ///
    /// # Errors
    /// No answer in time, and any other than `ok`.
    pub fn ask(&mut self, command: &str, patience: Patience) -> Result<BTreeMap<String, String>> {
        self.say(command)?;
        let answer = self.hear(patience)?;
        let Some(values) = answer.strip_prefix("ok") else { bail!("{command:?}: {answer}") };
        let pairs = values.split_whitespace().filter_map(|word| word.split_once('='));
        Ok(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    /// Sends a line.
    pub fn say(&mut self, line: &str) -> Result<()> {
        writeln!(self.input, "{line}").map_err(|error| self.lost(&error.to_string()))
    }

    /// The next line it says.
    pub fn hear(&mut self, patience: Patience) -> Result<String> {
        let mut left = patience.time;
        loop {
            (patience.check)()?;
            match self.answers.recv_timeout(POLL.min(left)) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Disconnected) => return Err(self.lost("")),
                Err(RecvTimeoutError::Timeout) if left <= POLL => {
                    bail!("no answer within {:?}{}", patience.time, self.said());
                }
                Err(RecvTimeoutError::Timeout) => left -= POLL,
            }
        }
    }

    /// Sends a signal, and for SIGKILL waits for the end.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_child(&self.child), signal)?;
        if signal == Signal::KILL {
            self.child.wait()?;
        }
        Ok(())
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to end; it must do so by itself, well, and say nothing more.
    pub fn quit(mut self, patience: Patience) -> Result<()> {
        self.say("quit")?;
        match self.hear(patience) {
            Ok(line) => bail!("after quit it says {line:?}"),
            Err(_) if self.exited() => {}
            Err(error) => return Err(error.context("after quit")),
        }
        let status = self.child.wait()?;
        if !status.success() {
            bail!("after quit: {status}{}", self.said());
        }
        Ok(())
    }

    /// Whether it has closed its output and is gone, or soon will be.
    fn exited(&mut self) -> bool {
        for _ in 0..100 {
            if let Ok(Some(_)) = self.child.try_wait() {
                return true;
            }
            std::thread::sleep(POLL);
        }
        false
    }

    fn lost(&mut self, why: &str) -> anyhow::Error {
        let gone = if self.exited() { self.child.wait().ok() } else { None };
        if let Some(listener) = self.listener.take().filter(|_| gone.is_some()) {
            let _ = listener.join();
        }
        let ending = gone.map_or("it runs on".to_owned(), |status| status.to_string());
        anyhow!("the agent has gone silent: {ending} {why}{}", self.said())
    }

    /// What it wrote to standard error.
    fn said(&self) -> String {
        let lines = self.diagnostics.lock().map(|lines| lines.clone()).unwrap_or_default();
        lines.iter().flat_map(|line| ["\n    ", line.as_str()]).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long to wait for an answer, and whether to go on at all.
#[derive(Clone, Copy)]
pub struct Patience {
    /// The time.
    pub time: Duration,
    /// Whether to go on.
    pub check: fn() -> Result<()>,
}

fn keep_lines(
    from: impl Read + Send + 'static,
    into: &Arc<Mutex<VecDeque<String>>>,
) -> JoinHandle<()> {
    let kept = Arc::clone(into);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if let Ok(mut kept) = kept.lock() {
                kept.push_back(line);
                if kept.len() > KEPT {
                    kept.pop_front();
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Process> {
        let launch = Launch {
            language: "sh".into(),
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: BTreeMap::new(),
        };
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        Process::start(&launch, here, here, patience())
    }

    fn patience() -> Patience {
        Patience { time: Duration::from_secs(60), check: || Ok(()) }
    }

    #[test]
    fn lines_go_both_ways_and_it_ends_when_told() {
        let script =
            "echo ready language=sh; while read a; do [ $a = quit ] && exit; echo ok $a; done";
        let mut process = shell(script).unwrap();
        process.say("one").unwrap();
        assert_eq!(process.hear(patience()).unwrap(), "ok one");
        let told = process.ask("a=1 b=c=d", patience()).unwrap();
        assert_eq!((&*told["a"], &*told["b"]), ("1", "c=d"));
        process.quit(patience()).unwrap();
    }

    #[test]
    fn an_agent_that_dies_is_reported_with_its_last_words() {
        let mut process = shell("echo ready language=sh; echo oh no >&2; exit 3").unwrap();
        let error = process.hear(patience()).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.contains("oh no"), "{error}");
    }

    #[test]
    fn silence_and_wrong_greetings_are_errors() {
        let mut process = shell("echo ready language=sh; exec sleep 600").unwrap();
        let short = Patience { time: Duration::from_millis(200), ..patience() };
        assert!(process.hear(short).unwrap_err().to_string().contains("no answer"));
        assert!(shell("echo hello").is_err());
    }
}
