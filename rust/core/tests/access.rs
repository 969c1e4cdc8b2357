//! Who gets in, by user and group, and how other users are woken. These tests start processes of
//! other users and so need root.

mod common;
mod raw;

use common::child::{entry, hear, say};
use common::readers::{By, next};
use common::{Child, DEADLINE, LANE, Order, Place, create, open, publish, until};
use framelane::layout::{BellKind, ErrorKind, Liveness};
use framelane::{Access, Consumer, ConsumerOptions, Mode, ProducerOptions, Trust};
use raw::users::{NOBODY, child_of, command_of, need_root, open_place};
use raw::{Attached, latest, refused};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// A group that only one of the test's processes is in.
const GROUP: u32 = 61_234;

#[test]
fn child_entry() {
    entry(&[("attach", attach), ("reader", reader), ("producer", producer)]);
}

/// Tries to attach; says the outcome.
fn attach(_: &[&str]) {
    match Consumer::open(LANE, ConsumerOptions::new(Mode::Latest)) {
        Ok(consumer) => {
            say("attached");
            hear();
            drop(consumer);
        }
        Err(error) => say(format_args!("{:?}: {error}", error.kind())),
    }
}

/// Reads every frame up to a number, waiting in one way or the other.
fn reader(args: &[&str]) {
    let by = if args[0] == "fd" { By::Fd } else { By::Futex };
    let until: u64 = args[1].parse().unwrap();
    let mut consumer = open(Mode::Ordered, 1);
    let mut order = Order::of(&consumer, Mode::Ordered);
    say("attached");
    while order.last < until {
        order.see(&next(&mut consumer, by));
        say(order.last);
    }
}

/// A producer that lets its own user in, and root unless it trusts only itself.
fn producer(args: &[&str]) {
    let trust = if args == ["trusted-only"] { Trust::TrustedOnly } else { Trust::SameUser };
    let producer = create(ProducerOptions::new().trust(trust));
    say(producer.directory().display());
    hear();
}

/// What a process of this user and group says about attaching.
fn outcome(place: &Place, uid: u32, gid: u32) -> String {
    let mut child = Child::spawn("attach", command_of(place, "attach", uid, gid));
    child.line()
}

fn socket_mode(place: &Place) -> (u32, u32) {
    let found = std::fs::metadata(place.path().join(format!("{LANE}.sock"))).unwrap();
    (found.permissions().mode() & 0o777, found.gid())
}

#[test]
fn a_lane_admits_its_owner_and_nobody_else_unless_told() {
    need_root();
    let place = open_place();
    let _producer = place.producer(ProducerOptions::new());
    assert_eq!(socket_mode(&place).0, 0o600);
    let refusal = outcome(&place, NOBODY, NOBODY);
    assert!(refusal.starts_with("PermissionDenied: "), "{refusal}");
    assert!(refusal.contains("lane.sock"), "the file is named: {refusal}");
    // The mode of the socket is one lock, the credentials of the peer are another.
    let socket = place.path().join(format!("{LANE}.sock"));
    std::fs::set_permissions(socket, PermissionsExt::from_mode(0o666)).unwrap();
    let refusal = outcome(&place, NOBODY, NOBODY);
    assert!(refusal.starts_with("PermissionDenied: "), "{refusal}");
    assert!(refusal.contains("admits only user 0, not user 65534"), "{refusal}");
    drop(latest(&place));
}

#[test]
fn a_lane_for_a_group_admits_its_members() {
    need_root();
    let place = open_place();
    let _producer = place.producer(ProducerOptions::new().access(Access::Group(GROUP)));
    assert_eq!(socket_mode(&place), (0o660, GROUP));
    assert_eq!(outcome(&place, NOBODY, GROUP), "attached");
    let refusal = outcome(&place, NOBODY, NOBODY);
    assert!(refusal.starts_with("PermissionDenied: "), "{refusal}");
}

#[test]
fn a_lane_for_everyone_admits_everyone_and_a_trusted_one_nobody_else() {
    need_root();
    let place = open_place();
    let open_lane = place.producer(ProducerOptions::new().access(Access::Everyone));
    assert_eq!(socket_mode(&place).0, 0o666);
    assert_eq!(outcome(&place, NOBODY, NOBODY), "attached");
    drop(open_lane);
    let options = ProducerOptions::new().access(Access::Everyone).trust(Trust::TrustedOnly);
    let _producer = place.producer(options);
    let refusal = outcome(&place, NOBODY, NOBODY);
    assert!(refusal.contains("admits only user 0, not user 65534"), "{refusal}");
    drop(latest(&place));
}

#[test]
fn root_attaches_to_any_lane_but_one_that_trusts_only_its_own_user() {
    need_root();
    let place = open_place();
    rustix::fs::chown(place.path(), Some(rustix::fs::Uid::from_raw(NOBODY)), None).unwrap();
    let mut of_nobody = child_of(&place, "producer", NOBODY);
    assert_eq!(of_nobody.line(), place.path().display().to_string());
    let consumer = latest(&place);
    assert_eq!(consumer.lane().unwrap().producer_uid, NOBODY);
    of_nobody.kill();
    drop(consumer);
    let mut suspicious = child_of(&place, "producer trusted-only", NOBODY);
    suspicious.line();
    let error = refused(place.try_consumer(ConsumerOptions::new(Mode::Latest)));
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.to_string().contains("admits only user 65534, not user 0"), "{error}");
}

#[test]
fn other_users_are_woken_through_bells_of_their_own() {
    need_root();
    let place = open_place();
    let producer = place.producer(ProducerOptions::new().access(Access::Everyone).history(4));
    let mut readers =
        ["reader futex 60", "reader fd 60"].map(|role| child_of(&place, role, NOBODY));
    readers.iter_mut().for_each(|reader| reader.expect("attached"));
    let report = producer.report();
    for entry in &report.consumers[..2] {
        assert_eq!((entry.uid, entry.bell), (NOBODY, BellKind::Private.number()));
    }
    for sequence in 1..=60 {
        publish(&producer, sequence);
        // Each is asleep again, or nearly, when the next frame comes.
        readers.iter_mut().for_each(|reader| reader.expect(&sequence.to_string()));
    }
    readers.iter_mut().for_each(Child::expect_success);
    until("both are gone", || producer.consumers() == 0);
}

#[test]
fn a_killed_process_of_another_user_gives_its_leases_back() {
    need_root();
    let place = open_place();
    let producer = place.producer(ProducerOptions::new().access(Access::Everyone));
    let mut child = child_of(&place, "attach", NOBODY);
    child.expect("attached");
    let entry = producer.report().consumers[0];
    assert_eq!((entry.uid, entry.pid), (NOBODY, child.pid.as_raw_nonzero().get() as u32));
    let answer = framelane::query(LANE, Some(place.path()), DEADLINE).unwrap();
    let liveness = Liveness::from_number(answer.consumers[0].liveness).unwrap();
    assert!(matches!(liveness, Liveness::PeerPidfd | Liveness::Pidfd), "{liveness:?}");
    child.kill();
    until("its leases are back", || producer.report().leases_granted == 0);
}

#[test]
fn whoever_may_read_a_lane_of_other_users_shares_no_word_with_them() {
    need_root();
    let place = open_place();
    let producer = place.producer(ProducerOptions::new().access(Access::Everyone));
    let own = Attached::new(place.path(), LANE, 1);
    assert_eq!(
        own.welcome.bell,
        BellKind::Private.number(),
        "strangers can sleep on the lane's word"
    );
    drop(own);
    drop(producer);
    let _producer = place.producer(ProducerOptions::new());
    let own = Attached::new(place.path(), LANE, 1);
    assert_eq!(own.welcome.bell, BellKind::Shared.number());
}
