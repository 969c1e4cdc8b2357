//! Programs in containers that share nothing but the runtime directory: `docs/containers.md`.

pub(crate) mod room;

use crate::asking::asked;
use crate::counts::Counts;
use crate::process::Program;
use crate::running::{Ended, Ending, until};
use anyhow::{Context, Result, ensure};
use room::{House, Room};
use rustix::process::Signal;
use serde_json::Value;

/// Tools the tier needs, each with the line that installs it.
pub const NEEDS: &[(&str, &str)] =
    &[("unshare", "apt install util-linux"), ("chroot", "apt install coreutils")];

const LANE: &str = "camera";
/// Who is no user of this machine.
const STRANGER: u32 = 54321;

type Case = fn(&House) -> Result<()>;

const CASES: &[(&str, Case)] = &[
    ("frames arrive whole and in order", frames_arrive),
    ("a killed consumer gives its leases back", a_killed_consumer_gives_back),
    ("a new capture is found by consumers of the old one", a_new_capture_is_found),
];
/// Root alone can be another user.
const OF_USERS: (&str, Case) = ("another user is refused, or admitted", users_are_told_apart);

/// Runs the tier.
pub fn tier() -> Result<Counts> {
    Program::build(&["framelane-cli"], false).check()?;
    let mut counts = Counts::default();
    let root = House::new()?.is_roots();
    for (name, case) in CASES.iter().chain(root.then_some(&OF_USERS)) {
        counts += Counts::told(name, House::new().and_then(|house| case(&house)));
    }
    if !root {
        println!("  {}: not run, it needs root", OF_USERS.0);
        counts.skipped += 1;
    }
    Ok(counts)
}

fn capture(house: &House, more: &[&str]) -> Result<Room> {
    let usual = ["camera", LANE, "--size", "320x240", "--fps", "60", "--json"];
    let room = house.room("capture", &[&usual[..], more].concat())?;
    until("the lane is there", || asked(&house.shared(), &["info", LANE, "--json"]).is_ok())?;
    Ok(room)
}

/// Reads on until it is ended; tells how it goes each tenth of a second.
fn watch(house: &House, uid: u32, more: &[&str]) -> Result<Room> {
    let usual = ["watch", LANE, "--verify-strip", "--json", "--interval", "0.1"];
    house.room_of(uid, "consumer", &[&usual[..], more].concat())
}

fn frames_arrive(house: &House) -> Result<()> {
    let camera = capture(house, &[])?;
    let ended = watch(house, 0, &["--frames", "60"])?.ended()?;
    ensure!(ended.ending == Ending::Exit(0), "the consumer: {ended:?}");
    expect(
        &ended.figures,
        &[("received", 60), ("torn", 0), ("out_of_order", 0), ("unaccounted", 0)],
    )?;
    // The first process of a namespace is spared signals that it has no handler for.
    ended_well(&camera.end(Signal::TERM)?)
}

fn a_killed_consumer_gives_back(house: &House) -> Result<()> {
    let camera = capture(house, &[])?;
    let consumer = watch(house, 0, &[])?;
    consumer.tells("frames arrive", |told| told["received"].as_u64() > Some(0))?;
    let who = asked(&house.shared(), &["who", LANE, "--json"])?;
    expect(&who, &[("leases_granted", 1)])?;
    let reader = &who["consumers"][0];
    ensure!(reader["liveness"] != Value::Null, "nobody says how its death is noticed: {reader}");
    let killed = consumer.end(Signal::KILL)?;
    ensure!(killed.ending != Ending::Exit(0), "it was not killed: {killed:?}");
    until("its leases are back", || {
        asked(&house.shared(), &["who", LANE, "--json"])
            .is_ok_and(|who| who["leases_granted"] == 0 && who["consumers"] == Value::Array(vec![]))
    })?;
    // All slots are the camera's again: a further consumer gets every frame.
    let next = watch(house, 0, &["--mode", "ordered", "--frames", "30"])?.ended()?;
    expect(&next.figures, &[("received", 30), ("torn", 0), ("unaccounted", 0)])?;
    ended_well(&camera.end(Signal::TERM)?)
}

fn a_new_capture_is_found(house: &House) -> Result<()> {
    let consumer = watch(house, 0, &[])?;
    let first = capture(house, &[])?;
    consumer.tells("frames of the first", |told| told["received"].as_u64() > Some(0))?;
    first.end(Signal::KILL)?;
    let second = capture(house, &[])?;
    consumer.tells("frames of the second", |told| told["epochs"].as_u64() == Some(2))?;
    let read = consumer.end(Signal::TERM)?;
    expect(&read.figures, &[("torn", 0), ("out_of_order", 0), ("unaccounted", 0)])?;
    ended_well(&second.end(Signal::TERM)?)
}

fn users_are_told_apart(house: &House) -> Result<()> {
    let private = capture(house, &[])?;
    let refused = watch(house, STRANGER, &["--wait", "1"])?.ended()?;
    ensure!(refused.ending != Ending::Exit(0), "the lane of root admits user {STRANGER}");
    ended_well(&private.end(Signal::TERM)?)?;
    let open = capture(house, &["--everyone"])?;
    let admitted = watch(house, STRANGER, &["--frames", "30"])?.ended()?;
    ensure!(admitted.ending == Ending::Exit(0), "the open lane: {admitted:?}");
    expect(&admitted.figures, &[("received", 30), ("torn", 0), ("unaccounted", 0)])?;
    ended_well(&open.end(Signal::TERM)?)
}

fn ended_well(camera: &Ended) -> Result<()> {
    ensure!(camera.ending == Ending::Exit(0), "the capture: {camera:?}");
    Ok(())
}

fn expect(figures: &Value, wanted: &[(&str, u64)]) -> Result<()> {
    for &(name, value) in wanted {
        let found = figures[name].as_u64().with_context(|| format!("no {name} in {figures}"))?;
        ensure!(found == value, "{name} is {found} instead of {value}: {figures}");
    }
    Ok(())
}
