//! What a stream lane tells about itself.

use super::lane::{State, StreamLane};
use crate::layout::{Mode, Report};
use crate::producer::report::{consumer, joined, name_processes, of_base};
use crate::ring::stream::reader::{Found, entry};

/// The lane now. Names of processes are looked up after the mutex is released.
pub(super) fn report(lane: &StreamLane, now_ns: u64) -> Report {
    let mut report = of_base(lane, now_ns);
    // Of a forked child neither the mutex nor the memory can be used.
    if lane.refuse_fork().is_ok() {
        lane.lock().describe(lane, &mut report);
    }
    name_processes(&mut report);
    report
}

impl State {
    fn describe(&self, lane: &StreamLane, report: &mut Report) {
        report.head = self.ring.newest();
        report.published = self.ring.newest();
        report.abandoned = self.counts.abandoned;
        report.no_free_slot = self.counts.no_room;
        report.departed_copied_bytes = self.counts.departed_copied;
        report.consumer_count = self.members.len() as u32;
        for (entry, member) in report.consumers.iter_mut().zip(self.members.iter()) {
            *entry = consumer(member);
        }
        let shape = lane.view.shape();
        let stream = &mut report.stream;
        stream.data_bytes = shape.data_bytes;
        stream.written_bytes = self.counts.written_bytes;
        stream.key_records = self.counts.key_records;
        stream.oldest = self.ring.oldest();
        if let Found::Entry(oldest) = entry(&lane.view, shape, stream.oldest) {
            stream.oldest_publish_ns = oldest.publish_ns;
        }
        stream.newest = self.newest;
        stream.index_capacity = shape.index_capacity as u32;
        stream.key_requests = self.counts.key_requests.wrapping_add(self.key_wishes());
        stream.config_id = self.config.id;
        stream.width = self.config.width;
        stream.height = self.config.height;
        stream.codec = self.config.codec;
    }

    /// The lossless readers that hold back what would be overwritten, for errors.
    pub(super) fn laggards(&self, oldest: u64) -> String {
        let lags = self
            .members
            .iter()
            .filter(|member| member.mode == Mode::Lossless && member.cursor < oldest);
        let label = lags.map(|member| {
            format!("{}, which has not released record {}", member.label(), member.cursor)
        });
        joined(label, "a lossless reader")
    }
}
