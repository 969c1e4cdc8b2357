//! What a switch tells about itself.

use super::lane::SwitchLane;
use crate::layout::Report;
use crate::producer::report::{consumer, name_processes, of_base};
use crate::wire::message;

/// The switch now. Names of processes are looked up after the mutex is released.
pub(super) fn report(lane: &SwitchLane, now_ns: u64) -> Report {
    let mut report = of_base(lane, now_ns);
    let about = &mut report.switch_report;
    about.member_count = lane.lanes.len() as u32;
    for (member, name) in about.members.iter_mut().zip(&lane.lanes) {
        message::put_text(&mut member.name, name);
    }
    // Of a forked child the mutex cannot be used.
    if lane.refuse_fork().is_ok() {
        let state = lane.lock();
        report.head = state.selection;
        let about = &mut report.switch_report;
        about.selection = state.selection;
        about.switches = state.switches;
        about.switched_ns = state.switched_ns;
        about.held = state.held.into();
        report.consumer_count = state.members.len() as u32;
        for (entry, member) in report.consumers.iter_mut().zip(state.members.iter()) {
            *entry = consumer(member);
        }
    }
    name_processes(&mut report);
    report
}
