//! The shmbuf ring with other users and on a full mount. Needs root, for both.

mod common;
mod raw;

use common::child::{await_word, command, entry, say};
use common::messages::{RING, open_receiver, receive, receiving, send, sending, shared_folder};
use common::{Child, Place};
use framelane::ErrorKind;
use framelane::shmbuf::{Receiver, Sender, SenderOptions};
use raw::users::{NOBODY, child_of, need_root, open_place};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn child_entry() {
    entry(&[("reader", reader), ("in-a-small-mount", in_a_small_mount)]);
}

/// Tries to attach, says what came of it, and reads one message.
fn reader(args: &[&str]) {
    let folder = Path::new(args[0]);
    match Receiver::open(RING, receiving(folder)) {
        Ok(receiver) => drop(receiver),
        Err(error) => say(error.kind().name()),
    }
    await_word("again");
    say(receive(&mut open_receiver(folder)));
}

#[test]
fn another_user_reads_where_the_mode_says_so() {
    need_root();
    let place = open_place();
    let folder = shared_folder();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let sender = Sender::create(RING, sending(folder.path())).unwrap();
    let mut other = child_of(&place, &format!("reader {}", folder.path().display()), NOBODY);
    other.expect("permission_denied");
    drop(sender);
    let mut sender = Sender::create(RING, sending(folder.path()).mode(0o666)).unwrap();
    other.say("again");
    send(&mut sender, 7);
    other.expect("7");
    other.expect_success();
}

#[test]
fn a_full_mount_is_an_error_and_leaves_nothing() {
    need_root();
    let place = Place::new();
    let plain = command(&place, &format!("in-a-small-mount {}", place.path().display()));
    let mut mounted = Command::new("unshare");
    mounted.args(["--mount", "sh", "-ec"]);
    mounted.arg("mount -t tmpfs -o size=1m tmpfs \"$0\"; exec \"$@\"").arg(place.path());
    mounted.arg(plain.get_program()).args(plain.get_args());
    for (key, value) in plain.get_envs() {
        match value {
            Some(value) => mounted.env(key, value),
            None => mounted.env_remove(key),
        };
    }
    mounted.stdin(Stdio::piped()).stdout(Stdio::piped());
    Child::spawn("a small mount", mounted).expect("refused");
}

fn in_a_small_mount(args: &[&str]) {
    let options = SenderOptions::new(8 << 20).directory(Some(args[0].into()));
    let refused = Sender::create(RING, options).map(drop).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::OutOfMemory, "{refused}");
    assert_eq!(std::fs::read_dir(args[0]).unwrap().count(), 0);
    say("refused");
}
