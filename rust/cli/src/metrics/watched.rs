//! The lanes that metrics are about, asked at each scrape.

use super::families::{self, Sample};
use crate::lanes;
use framelane::{LaneEntry, Report};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use std::path::Path;

/// Which lanes.
#[derive(Debug)]
pub enum Watched {
    /// Whatever there is on this machine.
    All,
    /// Those that this process makes.
    Own,
    /// The one that consumers of this name find, at each scrape anew.
    Named(String),
    /// These.
    Lanes(Vec<LaneEntry>),
}

impl Watched {
    /// One lane.
    pub fn lane(name: &str, directory: &Path) -> Self {
        let (name, directory) = (name.to_owned(), directory.to_owned());
        Watched::Lanes(vec![LaneEntry { name, directory }])
    }

    fn entries(&self) -> Vec<LaneEntry> {
        match self {
            Watched::Lanes(entries) => entries.clone(),
            Watched::Named(name) => {
                let lanes = lanes::everywhere().into_iter().flat_map(|place| place.lanes);
                lanes.filter(|lane| lane.name == *name).take(1).collect()
            }
            Watched::All | Watched::Own => {
                lanes::everywhere().into_iter().flat_map(|place| place.lanes).collect()
            }
        }
    }

    fn shows(&self, answer: &framelane::Result<Report>) -> bool {
        let own = |report: &Report| report.producer_pid == std::process::id();
        !matches!(self, Watched::Own) || answer.as_ref().is_ok_and(own)
    }
}

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let entries = self.entries();
        let answers = lanes::ask_all(&entries);
        let asked = entries.into_iter().zip(answers).filter(|(_, answer)| self.shows(answer));
        let samples: Vec<Sample> = asked.map(|(lane, answer)| Sample::new(lane, answer)).collect();
        families::encode(&mut encoder, &samples)
    }
}
