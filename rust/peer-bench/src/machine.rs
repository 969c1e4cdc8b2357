//! What a run was made on: figures mean little without it.

use serde::Serialize;
use std::fs::read_to_string;

#[derive(Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub processors: usize,
    pub kernel: String,
    /// Load of the last minute when the run began.
    pub load: String,
    /// Priority of the processes, negative where that is allowed.
    pub nice: i32,
    pub root: bool,
}

impl Machine {
    pub fn look() -> Machine {
        let info = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name"));
        let processor = model.unwrap_or("unknown").trim_start_matches(['\t', ' ', ':']).to_owned();
        let load = read_to_string("/proc/loadavg").unwrap_or_default();
        let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Machine {
            processor,
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: kernel.trim().to_owned(),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
            nice: rustix::process::getpriority_process(None).unwrap_or(0),
            root: rustix::process::geteuid().is_root(),
        }
    }

    pub fn describe(&self) -> String {
        format!(
            "{} processors ({}), Linux {}, load {}, nice {}",
            self.processors, self.processor, self.kernel, self.load, self.nice
        )
    }
}
