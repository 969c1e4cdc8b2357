//! The arguments of commands that make a stream lane.

use framelane::{StreamConfig, StreamWriterOptions};

/// The stream lane's memory.
#[derive(clap::Args, Clone, Copy)]
#[command(next_help_heading = "Stream")]
pub struct RingArgs {
    /// Size of the stream's ring in MiB; half of it is the largest picture [default: 8]
    #[arg(long, value_name = "MIB", value_parser = mebibytes)]
    pub ring_mib: Option<u64>,
    /// Pictures the stream keeps at most, rounded up to a power of two [default: 1024]
    #[arg(long, value_name = "N")]
    pub ring_records: Option<u32>,
}

impl RingArgs {
    /// How to make the lane.
    pub fn options(&self, config: StreamConfig) -> StreamWriterOptions {
        StreamWriterOptions::new(config)
            .data_bytes(self.ring_mib.unwrap_or(8) << 20)
            .index_capacity(self.ring_records.unwrap_or(1024))
    }
}

fn mebibytes(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (1..=1 << 20).contains(number));
    number.ok_or_else(|| "not a number of MiB from 1 to 1048576".to_owned())
}
