//! Children that are other users.

use crate::common::child::command;
use crate::common::{Child, Place};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// The user that owns nothing.
pub const NOBODY: u32 = 65534;

/// Tests of other user ids can only be run by root.
#[track_caller]
pub fn need_root() {
    let uid = rustix::process::geteuid();
    assert!(uid.is_root(), "needs root: this test starts processes of other users, run it as root");
}

/// A place that every user can search.
pub fn open_place() -> Place {
    let place = Place::new();
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
    place
}

/// The command that plays a role as another user: in a copy of the test program, since that user
/// may not be able to read the build folder.
pub fn command_of(place: &Place, role: &str, uid: u32, gid: u32) -> Command {
    let program = place.path().join("program");
    if !program.exists() {
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    }
    let own = command(place, role);
    let mut command = Command::new(program);
    command.args(own.get_args()).stdin(Stdio::piped()).stdout(Stdio::piped());
    for (key, value) in own.get_envs() {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    command.uid(uid).gid(gid).current_dir("/");
    command
}

/// Starts a role as another user.
pub fn child_of(place: &Place, role: &str, uid: u32) -> Child {
    Child::spawn(&format!("{role} of user {uid}"), command_of(place, role, uid, uid))
}
