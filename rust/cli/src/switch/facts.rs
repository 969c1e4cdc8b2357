//! What there is to say about a switch, in the form of its JSON.

use crate::table::{Table, or_dash};
use crate::{lanes, numbers, output, units};
use framelane::layout::selection::{INDEX_BITS, INDEX_MASK};
use framelane::{LaneEntry, Report};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize, Default)]
pub struct Switch {
    /// Its name; empty where that stands elsewhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub switch: String,
    /// Index of the active lane.
    pub active: u64,
    /// Its name; null for an index that no lane has.
    pub active_lane: Option<String>,
    pub switch_epoch: u64,
    /// Times the active lane has changed.
    pub switches: u64,
    /// Since the last change, or since the switch was made.
    pub active_for_ns: u64,
    /// Whether somebody has chosen, against whom no policy chooses.
    pub held: bool,
    pub lanes: Vec<Member>,
}

#[derive(Serialize)]
pub struct Member {
    pub name: String,
    pub active: bool,
    /// As `framelane ls` has it; null where nobody has looked.
    pub state: Option<&'static str>,
    /// Of its newest frame; null where unknown.
    pub brightness_avg: Option<f32>,
}

impl Switch {
    /// Of a controller's report; None of any other lane.
    pub fn of(report: &Report) -> Option<Self> {
        if !numbers::is_switch(report) {
            return None;
        }
        let about = &report.switch_report;
        let active = about.selection & INDEX_MASK;
        let count = (about.member_count as usize).min(about.members.len());
        let member = |(index, member): (usize, &framelane::layout::SwitchMember)| Member {
            name: output::clean_bytes(&member.name),
            active: index as u64 == active,
            state: None,
            brightness_avg: None,
        };
        let lanes: Vec<Member> = about.members[..count].iter().enumerate().map(member).collect();
        Some(Switch {
            switch: String::new(),
            active,
            active_lane: lanes.get(active as usize).map(|lane| lane.name.clone()),
            switch_epoch: about.selection >> INDEX_BITS,
            switches: about.switches,
            active_for_ns: report.now_ns.saturating_sub(about.switched_ns),
            held: about.held != 0,
            lanes,
        })
    }

    /// Asks the lanes, too.
    pub fn with_lanes(mut self, name: &str, directory: &Path) -> Self {
        name.clone_into(&mut self.switch);
        let entry =
            |lane: &Member| LaneEntry { name: lane.name.clone(), directory: directory.to_owned() };
        let entries: Vec<LaneEntry> = self.lanes.iter().map(entry).collect();
        let answers = lanes::ask_all(&entries);
        for ((lane, entry), answer) in self.lanes.iter_mut().zip(&entries).zip(answers) {
            match answer {
                Ok(report) => {
                    lane.state = Some("live");
                    let brightness = report.newest.brightness_avg;
                    lane.brightness_avg =
                        (report.head != 0 && brightness >= 0.0).then_some(brightness);
                }
                Err(error) => lane.state = Some(crate::ls::dead(entry, &error).0),
            }
        }
        self
    }

    /// The lines that `info` has of it, too.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let lane = self.active_lane.as_deref().unwrap_or("none");
        let how = if self.held { "chosen by somebody" } else { "nobody's choice" };
        vec![
            ("active", format!("{lane}, lane {} of {}; {how}", self.active, self.lanes.len())),
            (
                "switches",
                format!(
                    "{}, the last {} ago; switch epoch {}",
                    self.switches,
                    units::time(self.active_for_ns),
                    self.switch_epoch
                ),
            ),
        ]
    }

    pub fn text(&self) -> String {
        let mut lines = vec![("switch", self.switch.clone())];
        lines.extend(self.lines());
        let mut text = crate::table::pairs(&lines);
        text.push('\n');
        text + &self.table()
    }

    pub fn table(&self) -> String {
        let mut table = Table::new(&["LANE", "NAME", "ACTIVE", "STATE", "BRIGHTNESS"]);
        for (index, lane) in self.lanes.iter().enumerate() {
            table.row([
                index.to_string(),
                lane.name.clone(),
                if lane.active { "active" } else { "" }.into(),
                or_dash(lane.state),
                or_dash(lane.brightness_avg.map(|luma| format!("{luma:.1}"))),
            ]);
        }
        table.render()
    }
}
