//! The labelled steps, as they stand in the sources: a new one is tested without being listed.

use std::collections::BTreeSet;
use std::path::Path;

/// Steps that a test reaches in some role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Claiming and publishing.
    Producer,
    /// Writing records of a stream.
    Writer,
    /// Taking a device frame back.
    Revoker,
    /// Borrowing, releasing and waiting.
    Consumer,
    /// Reading records of a stream.
    StreamReader,
    /// Selecting a lane of a switch.
    Controller,
    /// Making a lane.
    Creator,
    /// Ending a lane.
    Closer,
    /// Admitting a consumer.
    Admission,
    /// Attaching to a lane.
    Attaching,
    /// Making a shmbuf segment.
    ShmbufMaker,
    /// Sending into one.
    ShmbufSender,
    /// Receiving from one.
    ShmbufReceiver,
}

const ROLES: &[(&str, Role)] = &[
    ("claim.", Role::Producer),
    ("publish.", Role::Producer),
    ("append.", Role::Writer),
    ("commit.", Role::Writer),
    ("revoke.", Role::Revoker),
    ("read.", Role::StreamReader),
    ("borrow.", Role::Consumer),
    ("release.", Role::Consumer),
    ("wait.", Role::Consumer),
    ("select.", Role::Controller),
    ("create.", Role::Creator),
    ("close.", Role::Closer),
    ("admit.", Role::Admission),
    ("attach.", Role::Attaching),
    ("shmbuf-make.", Role::ShmbufMaker),
    ("shmbuf-send.", Role::ShmbufSender),
    ("shmbuf-recv.", Role::ShmbufReceiver),
];

/// Every label in the sources of the crate.
pub fn all() -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut labels);
    assert!(labels.len() >= 16, "the steps are found: {labels:?}");
    labels
}

/// The labels of one role; fails when a label belongs to none, and so is not tested.
pub fn of(role: Role) -> Vec<String> {
    let of_role = |label: &String| {
        let found = ROLES.iter().find(|(prefix, _)| label.starts_with(prefix));
        let (_, found) = found.unwrap_or_else(|| panic!("step {label} is not covered by a test"));
        *found == role
    };
    let labels: Vec<String> = all().into_iter().filter(of_role).collect();
    assert!(!labels.is_empty(), "{role:?} has steps");
    labels
}

fn collect(folder: &Path, labels: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, labels);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let calls = text.split("step(\"").skip(1);
        labels.extend(calls.map(|rest| rest.split('"').next().unwrap().to_owned()));
    }
}
