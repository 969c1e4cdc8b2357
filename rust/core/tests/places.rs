//! Runtime directories: which is used, which is refused and why, and how long one may be.

mod common;
mod raw;

use common::child::{command, entry, hear, say};
use common::{Child, DEADLINE, LANE, Place, layout};
use framelane::layout::ErrorKind;
use framelane::{Consumer, ConsumerOptions, Mode, Producer, ProducerOptions};
use raw::refused;
use raw::users::{NOBODY, command_of, need_root, open_place};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("producer", producer), ("consumer", consumer)]);
}

/// Makes a lane wherever the environment says; tells where, or why not.
fn producer(_: &[&str]) {
    match Producer::create(LANE, ProducerOptions::new().layout(layout())) {
        Ok(producer) => {
            say(producer.directory().display());
            hear();
        }
        Err(error) => say(format_args!("{:?}: {error}", error.kind())),
    }
}

/// Looks for the lane wherever the environment says.
fn consumer(args: &[&str]) {
    let wait = Duration::from_millis(args[0].parse().unwrap());
    say("looking");
    match Consumer::open(LANE, ConsumerOptions::new(Mode::Latest).wait_for_lane(wait)) {
        Ok(_) => say("attached"),
        Err(error) => say(format_args!("{:?}: {error}", error.kind())),
    }
}

/// A user of this test run's own, whose place in /tmp is removed at the end.
struct Stranger {
    place: Place,
    uid: u32,
}

impl Stranger {
    fn new(number: u32) -> Self {
        need_root();
        let uid = 1_000_000 + std::process::id() % 100_000 * 10 + number;
        let stranger = Stranger { place: open_place(), uid };
        assert!(!stranger.fallback().exists(), "nobody else has used {uid}");
        stranger
    }

    /// Where its lanes are when nothing else can be used.
    fn fallback(&self) -> PathBuf {
        PathBuf::from(format!("/tmp/framelane-{}", self.uid))
    }

    fn command(&self, role: &str) -> Command {
        let mut command = command_of(&self.place, role, self.uid, self.uid);
        command.env_remove("FRAMELANE_DIR").env_remove("XDG_RUNTIME_DIR");
        command
    }

    fn start(&self, role: &str) -> Child {
        Child::spawn(role, self.command(role))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.fallback());
        let _ = std::fs::remove_dir_all(self.fallback());
    }
}

fn make_dir(path: &Path, owner: u32, mode: u32) {
    std::fs::create_dir(path).unwrap();
    std::os::unix::fs::chown(path, Some(owner), Some(owner)).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn without_any_other_place_a_lane_is_in_tmp_for_its_user_alone() {
    let stranger = Stranger::new(0);
    let mut producer = stranger.start("producer");
    assert_eq!(producer.line(), stranger.fallback().display().to_string());
    let found = std::fs::metadata(stranger.fallback()).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o700);
    let mut consumer = stranger.start("consumer 0");
    consumer.expect("looking");
    consumer.expect("attached");
}

#[test]
fn what_others_put_in_tmp_is_not_used() {
    let elsewhere = tempfile::tempdir().unwrap();
    type Put = fn(&Stranger, &Path);
    let cases: [(u32, &str, Put); 5] = [
        (1, "it belongs to user 0", |s, _| make_dir(&s.fallback(), 0, 0o700)),
        (2, "its mode is 777, not 700", |s, _| make_dir(&s.fallback(), s.uid, 0o777)),
        (3, "symbolic link or no directory", |s, elsewhere| {
            make_dir(&elsewhere.join("theirs"), s.uid, 0o700);
            symlink(elsewhere.join("theirs"), s.fallback()).unwrap();
        }),
        (4, "symbolic link or no directory", |s, _| symlink("/nowhere", s.fallback()).unwrap()),
        (5, "symbolic link or no directory", |s, _| std::fs::write(s.fallback(), "").unwrap()),
    ];
    std::fs::set_permissions(elsewhere.path(), PermissionsExt::from_mode(0o755)).unwrap();
    for (number, reason, put) in cases {
        let stranger = Stranger::new(number);
        put(&stranger, elsewhere.path());
        let refusal = stranger.start("producer").line();
        assert!(refusal.starts_with("PermissionDenied: "), "{refusal}");
        let words = format!("{} is not used: ", stranger.fallback().display());
        assert!(refusal.contains(&words) && refusal.contains(reason), "{refusal}");
        let mut consumer = stranger.start("consumer 0");
        consumer.expect("looking");
        let missing = consumer.line();
        assert!(missing.starts_with("NotFound: "), "{missing}");
        assert!(missing.contains(reason), "the consumer says so as well: {missing}");
    }
}

#[test]
fn what_others_put_in_tmp_keeps_no_consumer_from_the_other_places() {
    let stranger = Stranger::new(6);
    make_dir(&stranger.fallback(), 0, 0o777);
    let runtime = stranger.place.path().join("runtime");
    make_dir(&runtime, stranger.uid, 0o700);
    let start = |role: &str| {
        let mut command = stranger.command(role);
        command.env("XDG_RUNTIME_DIR", &runtime);
        Child::spawn(role, command)
    };
    let mut early = start("consumer 20000");
    early.expect("looking");
    std::thread::sleep(Duration::from_millis(50));
    let mut producer = start("producer");
    assert_eq!(producer.line(), runtime.join("framelane").display().to_string());
    early.expect("attached");
    let mut missing = stranger.start("consumer 0"); // without the variable: not found, all named
    missing.expect("looking");
    let words = missing.line();
    assert!(words.contains("/run/framelane") && words.contains("/tmp/framelane-"), "{words}");
}

/// The two sides need not agree on where they look first.
#[test]
fn a_consumer_searches_the_places_its_producer_could_not_use() {
    let stranger = Stranger::new(7);
    let mut producer = stranger.start("producer"); // knows no runtime directory
    assert_eq!(producer.line(), stranger.fallback().display().to_string());
    let runtime = stranger.place.path().join("runtime");
    make_dir(&runtime, stranger.uid, 0o700);
    make_dir(&runtime.join("framelane"), stranger.uid, 0o700);
    let mut command = stranger.command("consumer 0");
    command.env("XDG_RUNTIME_DIR", &runtime);
    let mut consumer = Child::spawn("consumer", command);
    consumer.expect("looking");
    consumer.expect("attached");
}

#[test]
fn the_directory_named_on_purpose_is_the_only_one() {
    let place = Place::new();
    let chosen = place.path().join("chosen");
    let start = |role: &str, directory: &Path| {
        let mut command = command(&place, role);
        command.env("FRAMELANE_DIR", directory);
        Child::spawn(role, command)
    };
    let mut producer = start("producer", &chosen);
    assert_eq!(producer.line(), chosen.display().to_string(), "made where it was missing");
    let mut consumer = start("consumer 0", &chosen);
    consumer.expect("looking");
    consumer.expect("attached");
    let mut other = start("consumer 0", place.path());
    other.expect("looking");
    let missing = other.line();
    let only = format!("looked in {}", place.path().display());
    assert!(missing.starts_with("NotFound: ") && missing.ends_with(&only), "{missing}");
    let file = place.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refusal = start("producer", &file).line();
    assert!(refusal.starts_with("PermissionDenied: "), "{refusal}");
    assert!(refusal.contains("file is not a directory"), "{refusal}");
}

#[test]
fn a_directory_nobody_may_use_is_an_error_when_it_is_the_only_one() {
    need_root();
    let place = open_place();
    let closed = place.path().join("closed");
    make_dir(&closed, 0, 0o700);
    let start = |role: &str, inside: &str| {
        let mut command = command_of(&place, role, NOBODY, NOBODY);
        command.env("FRAMELANE_DIR", closed.join(inside));
        Child::spawn(role, command)
    };
    let refusal = start("producer", "").line();
    assert!(refusal.starts_with("PermissionDenied: no usable runtime directory"), "{refusal}");
    let mut consumer = start("consumer 0", "inner");
    consumer.expect("looking");
    let refusal = consumer.line();
    assert!(refusal.starts_with("PermissionDenied: "), "{refusal}");
}

#[test]
fn a_lock_that_leads_elsewhere_is_refused_and_what_it_names_stays() {
    let precious = "what somebody wants to have overwritten";
    type Plant = fn(&Path, &Path);
    let plants: [Plant; 3] = [
        |victim, lock| std::fs::hard_link(victim, lock).unwrap(),
        |victim, lock| symlink(victim, lock).unwrap(),
        |_, lock| std::fs::create_dir(lock).unwrap(),
    ];
    for plant in plants {
        let place = Place::new();
        let victim = place.path().join("victim");
        std::fs::write(&victim, precious).unwrap();
        plant(&victim, &place.path().join(format!("{LANE}.lock")));
        let error = refused(place.try_producer(ProducerOptions::new()));
        assert!(error.to_string().contains("lane.lock"), "{error}");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), precious);
    }
}

#[test]
fn directories_longer_than_a_socket_address_work() {
    let place = Place::new();
    let mut long = place.path().to_owned();
    while long.as_os_str().len() < 300 {
        long.push("a-directory-with-a-long-name");
    }
    std::fs::create_dir_all(&long).unwrap();
    let name = "n".repeat(64);
    let make = || {
        let options = ProducerOptions::new().layout(layout()).directory(Some(long.clone()));
        Producer::create(&name, options)
    };
    let producer = make().unwrap();
    assert_eq!(refused(make()).kind(), ErrorKind::AlreadyExists);
    let options = ConsumerOptions::new(Mode::Latest).directory(Some(long.clone()));
    let mut consumer = Consumer::open(&name, options).unwrap();
    common::publish(&producer, 1);
    assert!(consumer.next(DEADLINE).unwrap().is_some());
    let lanes = framelane::discover(Some(&long)).unwrap();
    assert_eq!(lanes.iter().map(|lane| &lane.name).collect::<Vec<_>>(), [&name]);
    let report = framelane::query(&name, Some(&long), DEADLINE).unwrap();
    assert_eq!(report.consumer_count, 1);
    drop(producer);
    assert!(framelane::discover(Some(&long)).unwrap().is_empty(), "the socket is removed");
    drop(make().unwrap());
}

#[test]
fn names_of_62_to_64_characters_are_lanes_and_65_are_not() {
    let place = Place::new();
    for length in 62..=64 {
        let name = "a".repeat(length);
        let options = ProducerOptions::new().layout(layout()).directory(place.directory());
        let producer = Producer::create(&name, options).unwrap();
        let options = ConsumerOptions::new(Mode::Latest).directory(place.directory());
        let mut consumer = Consumer::open(&name, options).unwrap();
        assert_eq!(consumer.lane().unwrap().name, name);
        common::publish(&producer, 1);
        assert!(consumer.next(DEADLINE).unwrap().is_some());
        framelane::query(&name, Some(place.path()), DEADLINE).unwrap();
    }
    let name = "a".repeat(65);
    let options = ProducerOptions::new().layout(layout()).directory(place.directory());
    assert_eq!(refused(Producer::create(&name, options)).kind(), ErrorKind::InvalidName);
    let options = ConsumerOptions::new(Mode::Latest).directory(place.directory());
    assert_eq!(refused(Consumer::open(&name, options)).kind(), ErrorKind::InvalidName);
    let error = framelane::query(&name, Some(place.path()), DEADLINE);
    assert_eq!(refused(error).kind(), ErrorKind::InvalidName);
}
