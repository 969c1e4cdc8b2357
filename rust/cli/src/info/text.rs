//! The same facts for people.

use super::facts::{Copies, Frame, Info, Memory, Rules, Slots};
use super::stream::Stream;
use crate::switch::facts::Switch;
use crate::table::{Table, pairs};
use crate::units::{count, exact_size, time};
use std::time::{SystemTime, UNIX_EPOCH};

pub fn text(info: &Info) -> String {
    match (&info.stream, &info.switch) {
        (Some(stream), _) => of_stream(info, stream),
        (_, Some(switch)) => of_switch(info, switch),
        _ => of_frames(info),
    }
}

fn of_switch(info: &Info, switch: &Switch) -> String {
    let mut lines = vec![
        ("lane", format!("{} ({})", info.lane, info.kind)),
        ("directory", directory(info)),
        ("controller", producer(info)),
        ("epoch", format!("{}, made {} ago", info.epoch, time(since(info.created_ns)))),
    ];
    lines.extend(switch.lines());
    lines.extend([
        ("rules", trust(&info.rules).to_owned()),
        ("readers", format!("{} now", count(info.counts.consumers, "consumer"))),
        ("layout", info.layout_hash.clone()),
    ]);
    let mut text = pairs(&lines);
    text.push('\n');
    text + &switch.table()
}

fn of_stream(info: &Info, stream: &Stream) -> String {
    let mut lines = vec![
        ("lane", format!("{} ({})", info.lane, info.kind)),
        ("directory", directory(info)),
        ("producer", producer(info)),
        ("epoch", format!("{}, made {} ago", info.epoch, time(since(info.created_ns)))),
        ("memory", memory(&info.memory)),
        ("", info.memory.enforced.into()),
    ];
    lines.extend(stream.lines());
    lines.extend([
        ("rules", stream_rules(&info.rules)),
        ("records", records(info)),
        ("copied", copied(&info.copies, "record")),
        ("layout", info.layout_hash.clone()),
    ]);
    let mut text = pairs(&lines);
    text.push('\n');
    text + &stream.newest_text()
}

fn stream_rules(rules: &Rules) -> String {
    let lossless = if rules.lossless { "lossless readers admitted" } else { "never waits" };
    format!("{lossless}; {}", trust(rules))
}

fn records(info: &Info) -> String {
    let counts = &info.counts;
    let no_room = times(counts.no_free_slot);
    let consumers = count(counts.consumers, "consumer");
    format!(
        "{} committed, {} abandoned, no room {no_room}; {consumers} now",
        counts.published, counts.abandoned
    )
}

fn of_frames(info: &Info) -> String {
    let mut text = pairs(&[
        ("lane", format!("{} ({})", info.lane, info.kind)),
        ("directory", directory(info)),
        ("producer", producer(info)),
        ("epoch", format!("{}, made {} ago", info.epoch, time(since(info.created_ns)))),
        ("memory", memory(&info.memory)),
        ("", info.memory.enforced.into()),
        ("slots", slots(&info.slots)),
        ("leases", leases(&info.slots)),
        ("rules", rules(&info.rules)),
        ("frames", frames(info)),
        ("copied", copied(&info.copies, "frame")),
        ("layout", info.layout_hash.clone()),
    ]);
    text.push('\n');
    match &info.newest {
        Some(frame) => text += &newest(frame),
        None => text += "no frame yet\n",
    }
    text
}

fn directory(info: &Info) -> String {
    match &info.socket_mode {
        Some(mode) => format!("{}, socket mode {mode}", info.directory),
        None => info.directory.clone(),
    }
}

fn producer(info: &Info) -> String {
    let producer = &info.producer;
    let command = producer.command.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("process {}{command} of user {}", producer.pid, producer.uid)
}

fn since(realtime_ns: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX).saturating_sub(realtime_ns)
}

fn memory(memory: &Memory) -> String {
    let mut parts = vec![format!("{}, {} in all", memory.kind, exact_size(memory.total_bytes))];
    if memory.payload_bytes > 0 {
        parts.push(format!("{} a slot", exact_size(memory.payload_bytes)));
    }
    if memory.device_buffers > 0 {
        parts.push(count(memory.device_buffers, "device buffer"));
    }
    parts.push(if memory.huge_pages { "huge pages" } else { "ordinary pages" }.into());
    parts.push(if memory.locked { "locked" } else { "not locked" }.into());
    if memory.numa_bound {
        parts.push("bound to a NUMA node".into());
    }
    parts.join(", ")
}

fn slots(slots: &Slots) -> String {
    format!(
        "{} = {} + {} + 1 newest + {} history",
        slots.slots,
        count(slots.lease_budget, "lease"),
        count(slots.claims, "claim"),
        slots.history
    )
}

fn leases(slots: &Slots) -> String {
    let left = slots.lease_budget.saturating_sub(slots.leases_granted);
    format!("{} of {} granted, {left} left", slots.leases_granted, slots.lease_budget)
}

fn rules(rules: &Rules) -> String {
    let lease = match rules.lease_ns {
        0 => "frames are never revoked".to_owned(),
        ns => format!("frames may be revoked after {}", time(ns)),
    };
    let lossless = if rules.lossless { "lossless consumers admitted" } else { "never waits" };
    format!("{lossless}; {lease}; {}", trust(rules))
}

fn trust(rules: &Rules) -> &'static str {
    match rules.trust {
        "trusted_only" => "only the producer's own user is admitted",
        "untrusted" => "no consumer is trusted with a shared bell",
        _ => "consumers of the producer's user share its bell",
    }
}

fn times(number: u64) -> String {
    if number == 1 { "once".into() } else { format!("{number} times") }
}

fn frames(info: &Info) -> String {
    let counts = &info.counts;
    format!(
        "{} published, {} abandoned, {} revoked, no free slot {}; {} now",
        counts.published,
        counts.abandoned,
        counts.revoked,
        times(counts.no_free_slot),
        count(counts.consumers, "consumer"),
    )
}

fn copied(copies: &Copies, what: &str) -> String {
    let per_frame =
        copies.per_frame_bytes.map(|b| format!("; {b:.0} bytes a {what}")).unwrap_or_default();
    format!(
        "{} by the producer, {} for consumers, {} for those that left{per_frame}",
        exact_size(copies.producer_bytes),
        exact_size(copies.consumers_bytes),
        exact_size(copies.departed_consumers_bytes),
    )
}

fn newest(frame: &Frame) -> String {
    let mut text = format!(
        "newest frame {}, {} old, in slot {}\n",
        frame.sequence,
        time(frame.age_ns),
        frame.slot
    );
    let format = frame.format.as_deref().unwrap_or("no format");
    let mut lines = vec![
        ("  picture", format!("{format} {}x{}", frame.width, frame.height)),
        (
            "  colour",
            format!(
                "matrix {}, range {}, transfer {}",
                frame.color_matrix, frame.color_range, frame.color_transfer
            ),
        ),
        (
            "  capture",
            format!(
                "id {}, at {} ns on the {} clock, camera {}",
                frame.capture_id, frame.capture_ns, frame.capture_clock, frame.camera_id
            ),
        ),
    ];
    if let Some(camera) = &frame.camera {
        lines.push(("  camera", camera.clone()));
    }
    if frame.exposure_ns != 0 || frame.brightness_avg >= 0.0 {
        let brightness = match frame.brightness_avg {
            level if level >= 0.0 => format!("{level:.1}"),
            _ => "unknown".into(),
        };
        lines.push((
            "  exposure",
            format!(
                "{}, gain {:.2} x {:.2}, brightness {brightness}",
                time(frame.exposure_ns),
                frame.analog_gain,
                frame.digital_gain
            ),
        ));
    }
    if frame.valid_until_ns != 0 {
        let after = frame.valid_until_ns.saturating_sub(frame.publish_ns);
        lines.push(("  valid", format!("for {} after publication", time(after))));
    }
    if !frame.flags.is_empty() {
        lines.push(("  flags", frame.flags.join(", ")));
    }
    text += &pairs(&lines);
    let mut table = Table::new(&["  PLANE", "OFFSET", "BYTES", "STRIDE", "ROWS", "BUFFER"]);
    for (index, plane) in frame.planes.iter().enumerate() {
        table.row([
            format!("  {index}"),
            plane.offset_bytes.to_string(),
            plane.size_bytes.to_string(),
            plane.stride_bytes.to_string(),
            plane.rows.to_string(),
            match (plane.buffer_index, plane.share_id) {
                (0.., _) => plane.buffer_index.to_string(),
                (_, 0..) => format!("share id {}", plane.share_id),
                _ => "-".into(),
            },
        ]);
    }
    text + &table.render()
}
