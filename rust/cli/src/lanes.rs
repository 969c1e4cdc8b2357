//! Finding lanes and asking their producers.

use framelane::{Error, ErrorKind, LaneEntry, Report, discover, query, runtime_dir};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a producer may take to answer.
pub const ANSWER: Duration = Duration::from_secs(1);

/// A lane that answered.
pub struct Found {
    pub directory: PathBuf,
    pub report: Report,
}

/// Asks the first producer of that name, in the order that consumers search.
///
/// # Errors
/// `NotFound` with the places searched and what a killed producer left there; what [`query`]
/// fails with.
pub fn find(name: &str) -> framelane::Result<Found> {
    let places = runtime_dir::search_path();
    let mut failure = None;
    for directory in &places {
        match query(name, Some(directory), ANSWER) {
            Ok(report) => return Ok(Found { directory: directory.clone(), report }),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // As for consumers: a place that may not be used matters only if it is the only one.
            Err(_) if places.len() > 1 && !has_socket(name, directory) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| not_found(name, &places)))
}

fn not_found(name: &str, places: &[PathBuf]) -> Error {
    let listed: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
    let mut text = format!("no producer of lane {name:?}; looked in {}", listed.join(", "));
    for place in places.iter().filter(|place| has_socket(name, place)) {
        let socket = socket_path(name, place);
        text += &format!("; nobody listens on {} any more", socket.display());
    }
    Error::new(ErrorKind::NotFound, text)
}

fn has_socket(name: &str, directory: &Path) -> bool {
    socket_path(name, directory).symlink_metadata().is_ok()
}

/// Where a lane has its socket.
pub fn socket_path(name: &str, directory: &Path) -> PathBuf {
    directory.join(format!("{name}.sock"))
}

/// A place that was looked through, and why it could not be, if so.
pub struct Place {
    pub directory: PathBuf,
    pub lanes: Vec<LaneEntry>,
    pub error: Option<Error>,
}

/// Looks through every place that consumers search. One that cannot be read hides no other.
pub fn everywhere() -> Vec<Place> {
    let look = |directory: PathBuf| match discover(Some(&directory)) {
        Ok(lanes) => Place { directory, lanes, error: None },
        Err(error) => Place { directory, lanes: Vec::new(), error: Some(error) },
    };
    runtime_dir::search_path().into_iter().map(look).collect()
}

/// Asks many lanes at once, so that one that is stuck delays nobody for long.
pub fn ask_all(entries: &[LaneEntry]) -> Vec<framelane::Result<Report>> {
    // As many as any machine has threads to spare for.
    const AT_ONCE: usize = 32;
    let ask = |entry: &LaneEntry| query(&entry.name, Some(&entry.directory), ANSWER);
    let mut answers = Vec::with_capacity(entries.len());
    for chunk in entries.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let asking: Vec<_> =
                chunk.iter().map(|entry| scope.spawn(move || ask(entry))).collect();
            answers.extend(asking.into_iter().map(|thread| {
                let broke = |_| Err(Error::new(ErrorKind::Internal, "asking the lane panicked"));
                thread.join().unwrap_or_else(broke)
            }));
        });
    }
    answers
}
