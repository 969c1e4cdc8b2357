//! What a file of cameras says that the demo has to know before they are started.

use super::source::{ACTIVE, YOLO};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Who reads what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cameras {
    /// Lane or switch of frames for people.
    pub active: String,
    /// The same for the detector.
    pub yolo: String,
    /// Two cameras stand behind the first of them.
    pub switched: bool,
    /// The shortest time that a frame is guaranteed to its readers; None: never taken back.
    pub lease_ms: Option<u64>,
    /// A channel is told to copy.
    pub copies: bool,
}

/// On a board where nothing is said.
const LEASE_MS: u64 = 66;
const LEASES: u64 = 8;
/// What the readers of one lane ask for together: eight with one or two each, an encoder with four,
/// and one that is started again.
const READERS: u64 = 16;

impl Cameras {
    /// One lane for all.
    pub fn one() -> Self {
        let (active, yolo) = (ACTIVE.to_owned(), ACTIVE.to_owned());
        Cameras { active, yolo, switched: false, lease_ms: None, copies: false }
    }

    /// Of a file's text. What the camera would not take is its own to say.
    pub fn read(text: &str) -> Result<Self> {
        let file: Value = toml::from_str(text)?;
        let leases = entries(&file, "camera").flat_map(|camera| entries(camera, "channel").next());
        let leases = leases.map(|channel| channel["leases"].as_u64().unwrap_or(LEASES)).min();
        ensure!(
            leases.is_none_or(|leases| leases >= READERS),
            "the readers of the first channel hold {READERS} frames: leases = {}, buffers = 16 \
             there, as in docs/board/demo.toml",
            READERS + 8
        );
        let channels = || entries(&file, "camera").flat_map(|camera| entries(camera, "channel"));
        let active = name(&file, 0).or_else(|| {
            let first = channels().next()?["number"].as_u64()?;
            name(&file, first)
        });
        let active = active.context("no [[camera.channel]] is there")?;
        let lease = |channel: &Value| channel["lease_ms"].as_u64().unwrap_or(LEASE_MS);
        Ok(Cameras {
            yolo: name(&file, 1).unwrap_or_else(|| active.clone()),
            switched: is_switched(&file, if name(&file, 0).is_some() { 0 } else { u64::MAX }),
            lease_ms: channels().map(lease).min(),
            copies: channels().any(|channel| channel["transport"] == "copy"),
            active,
        })
    }
}

/// What a channel's frames are read by: the switch of both cameras, else the first one's lane.
fn name(file: &Value, number: u64) -> Option<String> {
    let mut of = of_number(file, number);
    let (index, first) = of.next()?;
    let usual = match number {
        0 => ACTIVE.to_owned(),
        1 => YOLO.to_owned(),
        _ => return said(first, "lane"),
    };
    if is_switched(file, number) {
        let other = of.next().and_then(|(_, other)| said(other, "switch"));
        return said(first, "switch").or(other).or(Some(usual));
    }
    let id = entries(file, "camera").nth(index)?["id"].as_u64().unwrap_or(index as u64);
    let own = if id == 0 { usual } else { format!("{usual}_cam{id}") };
    said(first, "lane").or(Some(own))
}

fn is_switched(file: &Value, number: u64) -> bool {
    file["switch"].is_object() && of_number(file, number).count() == 2
}

/// Channels of this number, with the place of their camera.
fn of_number(file: &Value, number: u64) -> impl Iterator<Item = (usize, &Value)> {
    let found = move |camera| entries(camera, "channel").find(|c| c["number"] == number);
    let cameras = entries(file, "camera").enumerate();
    cameras.filter_map(move |(index, camera)| Some((index, found(camera)?)))
}

fn said(channel: &Value, key: &str) -> Option<String> {
    channel[key].as_str().map(str::to_owned)
}

fn entries<'a>(of: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    of[key].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNELS: &str =
        "[[camera.channel]]\nnumber = 0\nleases = 16\n[[camera.channel]]\nnumber = 1\n";

    #[test]
    fn names_are_the_usual_ones_or_those_of_the_file() {
        let one = Cameras::read(&format!("[[camera]]\nhost = 0\n{CHANNELS}")).unwrap();
        assert_eq!((&*one.active, &*one.yolo, one.switched), (ACTIVE, YOLO, false));
        let camera = |id: u32| format!("[[camera]]\nid = {id}\n{CHANNELS}switch = \"y{id}\"\n");
        let two = Cameras::read(&["[switch]\n", &camera(3), &camera(4)].concat()).unwrap();
        assert_eq!((&*two.active, &*two.yolo, two.switched), (ACTIVE, "y3", true));
        let night = Cameras::read(&camera(3).replace("switch", "lane")).unwrap();
        assert_eq!((&*night.active, &*night.yolo), ("pet_camera_active_zc_cam3", "y3"));
        assert!(Cameras::read("[switch]").is_err());
    }

    #[test]
    fn the_shortest_lease_counts_and_copies_are_told() {
        let file = format!("[[camera]]\nhost = 0\n{CHANNELS}lease_ms = 40\n");
        let read = Cameras::read(&file).unwrap();
        assert_eq!((read.lease_ms, read.copies), (Some(40), false));
        let read = Cameras::read(&file.replace("lease_ms = 40", "transport = \"copy\"")).unwrap();
        assert_eq!((read.lease_ms, read.copies), (Some(LEASE_MS), true));
    }

    #[test]
    fn the_guides_file_is_read_and_too_few_leases_are_refused() {
        let file = |name: &str| {
            let path = crate::workspace::root().join("docs/board").join(name);
            Cameras::read(&std::fs::read_to_string(path).unwrap())
        };
        let read = file("demo.toml").unwrap();
        assert_eq!((&*read.active, &*read.yolo, read.switched), (ACTIVE, YOLO, true));
        let refused = file("cameras.toml").unwrap_err().to_string();
        assert!(refused.contains("hold 16 frames: leases = 24"), "{refused}");
    }
}
