//! What the lanes and those who read them say, put down look by look: `framelane top --json`.

use serde_json::{Value, json};

/// One lane, from the first look at it to the last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LaneBook {
    /// Its name.
    pub name: String,
    /// Frames or records published.
    pub published: u64,
    /// Of those, between the looks.
    pub fps: f64,
    /// Bytes of one frame; 0 of a stream.
    pub frame_bytes: u64,
    /// Frames taken back, and frames or records given up for want of room.
    pub revoked: u64,
    /// Given up.
    pub no_free_slot: u64,
    /// Bytes the SDK copied, on both sides.
    pub copied_bytes: u64,
    /// Of those, on the way into the lane.
    pub copied_in: u64,
}

/// What one process read of one lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The lane.
    pub lane: String,
    /// Bytes of its frames; 0 of a stream.
    pub frame_bytes: u64,
    /// Frames or records.
    pub received: u64,
    /// Passed unread.
    pub missed: u64,
    /// Taken back while it held them.
    pub revoked: u64,
    /// Bytes the SDK copied for it.
    pub copied_bytes: u64,
}

/// Takes a look down.
pub fn take(books: &mut Value, line: &str) {
    let Ok(look) = serde_json::from_str::<Value>(line) else { return };
    let now = look["now_ns"].clone();
    for lane in look["lanes"].as_array().into_iter().flatten() {
        // One that does not answer, or that nothing was published to, says nothing new.
        let (Some(name), Some(epoch)) = (lane["name"].as_str(), lane["epoch"].as_str()) else {
            continue;
        };
        let kept = &mut books["lanes"][format!("{name} {epoch}")];
        if kept.is_null() {
            *kept = json!({ "first_ns": now, "first_published": lane["published"] });
        }
        kept["last_ns"] = now.clone();
        for key in ["name", "kind", "format", "width", "height", "published", "revoked"] {
            kept[key] = lane[key].clone();
        }
        for key in ["no_free_slot", "copied_bytes", "active", "switches"] {
            kept[key] = lane[key].clone();
        }
        for reader in lane["consumers"].as_array().into_iter().flatten() {
            kept["readers"][reader["consumer_id"].to_string()] = reader.clone();
        }
    }
    books["look"] = look;
}

/// All lanes that were seen, with what an earlier one of the same name had done.
pub fn lanes(books: &Value) -> Vec<LaneBook> {
    let mut all: Vec<LaneBook> = Vec::new();
    for lane in entries(&books["lanes"]).filter(|lane| lane["kind"] != "switch") {
        let number = |key: &str| lane[key].as_u64().unwrap_or(0);
        let span = number("last_ns").saturating_sub(number("first_ns")) as f64 / 1e9;
        let shown = number("published").saturating_sub(number("first_published")) as f64;
        let readers = entries(&lane["readers"]);
        let by_readers: u64 = readers.filter_map(|reader| reader["copied_bytes"].as_u64()).sum();
        let book = LaneBook {
            name: lane["name"].as_str().unwrap_or_default().to_owned(),
            published: number("published"),
            fps: if span > 0.0 { shown / span } else { 0.0 },
            frame_bytes: frame_bytes(lane),
            revoked: number("revoked"),
            no_free_slot: number("no_free_slot"),
            copied_bytes: number("copied_bytes"),
            copied_in: number("copied_bytes").saturating_sub(by_readers),
        };
        match all.iter_mut().find(|other| other.name == book.name) {
            Some(other) => {
                other.published += book.published;
                other.fps = other.fps.max(book.fps);
                other.revoked += book.revoked;
                other.no_free_slot += book.no_free_slot;
                other.copied_bytes += book.copied_bytes;
                other.copied_in += book.copied_in;
            }
            None => all.push(book),
        }
    }
    all
}

/// What these processes read, lane by lane.
pub fn readings(books: &Value, pids: &[u32]) -> Vec<Reading> {
    let mut all: Vec<Reading> = Vec::new();
    for lane in entries(&books["lanes"]).filter(|lane| lane["kind"] != "switch") {
        let name = lane["name"].as_str().unwrap_or_default();
        for reader in entries(&lane["readers"]) {
            let number = |key: &str| reader[key].as_u64().unwrap_or(0);
            if !pids.iter().any(|pid| u64::from(*pid) == number("pid")) {
                continue;
            }
            let [received, missed, revoked, copied_bytes] =
                ["received", "missed", "revoked", "copied_bytes"].map(number);
            match all.iter_mut().find(|other| other.lane == name) {
                Some(other) => {
                    other.received += received;
                    other.missed += missed;
                    other.revoked += revoked;
                    other.copied_bytes += copied_bytes;
                }
                None => all.push(Reading {
                    lane: name.to_owned(),
                    frame_bytes: frame_bytes(lane),
                    received,
                    missed,
                    revoked,
                    copied_bytes,
                }),
            }
        }
    }
    all
}

/// Name of the lane that is active behind a switch, as of the newest look.
pub fn active(books: &Value, switch: &str) -> Option<String> {
    let lanes = books["look"]["lanes"].as_array()?;
    let found = lanes.iter().find(|lane| lane["name"] == switch)?;
    found["active"].as_str().map(str::to_owned)
}

fn entries(object: &Value) -> impl Iterator<Item = &Value> {
    object.as_object().into_iter().flat_map(|object| object.values())
}

fn frame_bytes(lane: &Value) -> u64 {
    let number = |key: &str| lane[key].as_u64().unwrap_or(0);
    let pixels = number("width") * number("height");
    match lane["format"].as_str() {
        Some("nv12" | "i420") => pixels * 3 / 2,
        Some("yuyv") => pixels * 2,
        Some("grey") => pixels,
        Some("rgb24" | "bgr24") => pixels * 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(now: u64, epoch: &str, published: u64, pid: u32) -> String {
        json!({ "now_ns": now, "lanes": [
            { "name": "front", "epoch": "s", "kind": "switch", "active": "day", "consumers": [] },
            { "name": "gone", "state": "dead", "consumers": [] },
            { "name": "day", "epoch": epoch, "kind": "frame", "format": "nv12", "width": 4,
              "height": 2, "published": published, "revoked": 1, "no_free_slot": 0,
              "copied_bytes": 8, "consumers": [{ "consumer_id": 1, "pid": pid,
              "received": published, "missed": 2, "revoked": 0, "copied_bytes": 3 }] },
        ]})
        .to_string()
    }

    #[test]
    fn lanes_and_readers_are_added_up_over_restarts() {
        let mut books = Value::Null;
        take(&mut books, &look(1_000_000_000, "a", 10, 7));
        take(&mut books, &look(3_000_000_000, "a", 70, 7));
        take(&mut books, "no json");
        take(&mut books, &look(4_000_000_000, "b", 5, 8));
        let lanes = lanes(&books);
        assert_eq!((lanes.len(), lanes[0].published, lanes[0].fps), (1, 75, 30.0));
        assert_eq!((lanes[0].frame_bytes, lanes[0].revoked, lanes[0].copied_bytes), (12, 2, 16));
        assert_eq!(lanes[0].copied_in, 10, "three of each eight were copied for a reader");
        let read = readings(&books, &[7, 8]);
        assert_eq!((read[0].received, read[0].missed, read[0].copied_bytes), (75, 4, 6));
        assert_eq!(readings(&books, &[8])[0].received, 5);
        assert!(readings(&books, &[9]).is_empty());
        assert_eq!(active(&books, "front").as_deref(), Some("day"));
    }
}
