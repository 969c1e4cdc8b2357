//! What the SDK has copied by now on each lane, and what came on top of it since.

use super::stage::{Run, WATCHED};
use crate::asking::asked_by;
use crate::demo::source::STREAM;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// One look at all lanes.
pub struct Look {
    now_ns: u64,
    /// Bytes that who makes a lane has copied into it, by the lane's name.
    copied: BTreeMap<String, u64>,
    /// Records of the stream.
    pictures: Option<u64>,
}

impl Look {
    /// By this build of ours, in this runtime directory.
    pub fn now(framelane: &Path, lanes: &Path) -> Result<Look> {
        Look::read(&asked_by(framelane, lanes, &["top", "--once", "--json"])?)
    }

    fn read(told: &Value) -> Result<Look> {
        let mut look = Look {
            now_ns: told["now_ns"].as_u64().context("no time")?,
            copied: BTreeMap::new(),
            pictures: None,
        };
        for lane in told["lanes"].as_array().context("no lanes")? {
            let name = lane["name"].as_str().unwrap_or_default();
            // Those of readers are told by themselves.
            let readers = lane["consumers"].as_array().into_iter().flatten();
            let readers: u64 = readers.filter_map(|one| one["copied_bytes"].as_u64()).sum();
            let copied = lane["copied_bytes"].as_u64();
            let copied = copied.with_context(|| format!("{name} does not answer"))?;
            look.copied.insert(name.to_owned(), copied.saturating_sub(readers));
            if name == STREAM {
                look.pictures = lane["published"].as_u64();
            }
        }
        Ok(look)
    }

    /// Enters into a run what each path has copied a second since an earlier look.
    pub fn enter_since(&self, earlier: &Look, run: &mut Run) -> Result<()> {
        let seconds = self.now_ns.saturating_sub(earlier.now_ns) as f64 / 1e9;
        ensure!(seconds > 0.0, "the later look is not later");
        for (lane, copied) in &self.copied {
            let before = earlier.copied.get(lane).with_context(|| format!("{lane} is new"))?;
            let bytes = copied.saturating_sub(*before) as f64 / seconds;
            *run.entry(format!("bytes {}", path_of(lane))).or_default() += bytes;
        }
        if let (Some(now), Some(before)) = (self.pictures, earlier.pictures) {
            let rate = now.saturating_sub(before) as f64 / seconds;
            run.insert("pictures".to_owned(), rate);
        }
        Ok(())
    }
}

fn path_of(lane: &str) -> &'static str {
    match lane {
        STREAM => "encoder output",
        lane if lane.contains("yolo") => WATCHED,
        lane if lane.contains("mjpeg") => "mjpeg",
        _ => "active",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn look(second: u64, day: u64, night: u64, pictures: u64) -> Look {
        let lane = |name: &str, copied: u64| json!({ "name": name, "copied_bytes": copied });
        let reader = json!({ "copied_bytes": 1000 * second });
        Look::read(&json!({ "now_ns": second * 1_000_000_000, "lanes": [
            lane("pet_camera_yolo_zc_cam0", day),
            lane("pet_camera_yolo_zc_cam1", night),
            { "name": STREAM, "copied_bytes": 1000 * second + pictures, "consumers": [reader],
              "published": pictures },
        ] }))
        .unwrap()
    }

    #[test]
    fn what_was_before_the_first_look_and_what_readers_copy_does_not_count() {
        let mut run = Run::new();
        look(4, 500, 300, 90).enter_since(&look(2, 100, 100, 30), &mut run).unwrap();
        let found = |key: &str| run.get(key).copied();
        assert_eq!(found("bytes yolo"), Some(300.0));
        assert_eq!((found("bytes encoder output"), found("pictures")), (Some(30.0), Some(30.0)));
        assert!(look(2, 0, 0, 0).enter_since(&look(2, 0, 0, 0), &mut run).is_err());
        let silent = json!({ "now_ns": 1, "lanes": [{ "name": "a", "copied_bytes": null }] });
        assert!(Look::read(&silent).is_err());
    }
}
