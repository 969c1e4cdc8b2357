//! A container made of the kernel's namespaces, with one of our programs in it.

use crate::running::{Ended, Running, until};
use crate::workspace;
use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::process::Command;

const SCRIPT: &str = "rust/xtask/src/containers/room.sh";

/// What all rooms of a test share, and where they are put together.
pub struct House {
    folder: tempfile::TempDir,
    root: bool,
}

/// A program in namespaces of its own.
pub struct Room {
    running: Running,
}

impl House {
    /// A house in which rooms share one runtime directory. Without root's rights each room has a
    /// user namespace too.
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("framelane-rooms-").tempdir()?;
        for name in ["root", "shared"] {
            fs::create_dir(folder.path().join(name))?;
        }
        // Other users have to come as far as the socket to be told that they may not use it.
        for at in [folder.path(), &folder.path().join("shared")] {
            rustix::fs::chmod(at, 0o755.into())?;
        }
        let house = House { folder, root: rustix::process::geteuid().is_root() };
        let tried = house.unshare().arg("true").output().context("unshare")?;
        ensure!(
            tried.status.success(),
            "namespaces need root, or a kernel that lets others make them (`sysctl \
             kernel.unprivileged_userns_clone=1`, in a container `--privileged`): {}",
            String::from_utf8_lossy(&tried.stderr).trim()
        );
        Ok(house)
    }

    /// Whether other users can be had.
    pub fn is_roots(&self) -> bool {
        self.root
    }

    /// The runtime directory, from outside.
    pub fn shared(&self) -> std::path::PathBuf {
        self.folder.path().join("shared")
    }

    /// Runs `framelane` in a room of its own.
    pub fn room(&self, name: &str, arguments: &[&str]) -> Result<Room> {
        self.room_of(0, name, arguments)
    }

    /// The same as another user.
    pub fn room_of(&self, uid: u32, name: &str, arguments: &[&str]) -> Result<Room> {
        let mut command = self.unshare();
        command
            .args(["sh".as_ref(), workspace::root().join(SCRIPT).as_os_str()])
            .arg(self.folder.path().join("root"))
            .arg(self.shared())
            .arg(workspace::target().join("debug/framelane"))
            .arg(uid.to_string())
            .args(arguments)
            // Nothing but the directory's usual place leads to the lanes.
            .env_remove("FRAMELANE_DIR")
            .env_remove("XDG_RUNTIME_DIR");
        Ok(Room { running: Running::start(name, &mut command)? })
    }

    fn unshare(&self) -> Command {
        let mut command = Command::new("unshare");
        if !self.root {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]);
        command
    }
}

impl Room {
    /// Waits until what the program has told last is as wanted.
    pub fn tells(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let mut newest = Value::Null;
        until(what, || {
            newest = self.running.figures();
            wanted(&newest)
        })
        .with_context(|| format!("{} told last: {newest}", self.running.name()))?;
        Ok(newest)
    }

    /// Waits until it has ended by itself.
    pub fn ended(self) -> Result<Ended> {
        until(&format!("{} ends", self.running.name()), || self.running.is_gone())?;
        self.running.stop()
    }

    /// Sends a signal to the program itself, the first process of its namespace, and waits for its
    /// end.
    pub fn end(self, signal: Signal) -> Result<Ended> {
        kill_process(self.inner()?, signal)?;
        self.ended()
    }

    /// The program as this namespace numbers it: the one child of `unshare`.
    fn inner(&self) -> Result<Pid> {
        let id = self.running.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        let only = children.trim().parse().ok().and_then(Pid::from_raw);
        only.with_context(|| format!("unshare has the children {children:?}"))
    }
}
