//! One demo at a time builds and starts: the files of the programs are the same for all of them.

use crate::{interrupt, workspace};
use anyhow::{Result, ensure};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, create_dir_all};
use std::thread::sleep;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(100);
/// The other may build everything for the first time, and optimised.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Our turn, until it is dropped.
pub struct Turn(#[expect(dead_code, reason = "locked while it is open")] File);

impl Turn {
    /// Waits for it.
    pub fn wait() -> Result<Self> {
        let folder = workspace::target().join("demo");
        create_dir_all(&folder)?;
        let file = File::create(folder.join("turn"))?;
        let start = Instant::now();
        let mut told = false;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => {}
                locked => return Ok(locked.map(|()| Turn(file))?),
            }
            if !told {
                println!("another demo builds or starts its programs: waiting for it");
                told = true;
            }
            interrupt::check()?;
            ensure!(start.elapsed() < PATIENCE, "another demo still builds after {PATIENCE:?}");
            sleep(POLL);
        }
    }
}
