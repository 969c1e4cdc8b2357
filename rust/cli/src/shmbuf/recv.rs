//! `framelane shmbuf recv`

use super::messages::Writer;
use super::{SLICE, Setting, Shmbuf, deadline, is_passed};
use crate::units;
use anyhow::{Context, bail};
use framelane::ErrorKind;
use framelane::shmbuf::Receiver;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

#[derive(clap::Args)]
#[command(after_help = "\
Without --count it ends when its sender does; that an upstream sender has ended cannot be seen, so
that it also ends, and well, when no message has come for --timeout after the first.")]
pub struct Args {
    /// Name of the segment, with or without a slash in front
    name: String,
    /// File to write, or - for standard output; each message with its length before it as four
    /// bytes, little endian, unless --size says how long all are
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Bytes of each message, which are then written without their length
    #[arg(long, value_name = "BYTES")]
    size: Option<usize>,
    /// Stop after so many messages
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Go on with the next sender when this one has ended
    #[arg(long)]
    follow: bool,
    /// Seconds to wait for a sender, and for each message
    #[arg(long, value_name = "S", default_value = "5", value_parser = units::seconds)]
    timeout: Duration,
}

#[derive(Serialize)]
struct Summary<'a> {
    name: &'a str,
    capacity_bytes: usize,
    received: u64,
    received_bytes: u64,
    /// Empty messages that were stepped over.
    empty: u64,
    /// Senders after the first.
    restarts: u64,
    elapsed_ns: u64,
}

pub fn run(args: &Args, setting: &Setting<'_>) -> anyhow::Result<()> {
    if setting.args.json && args.file == std::path::Path::new("-") {
        let text = "--json and the messages both want standard output: name a file";
        return Err(crate::failure::Usage(text.into()).into());
    }
    let until = deadline(Some(args.timeout));
    let Some(mut receiver) = setting.open(&args.name, args.follow, until)? else {
        bail!("interrupted before there was a sender");
    };
    let mut writer = Writer::create(&args.file, args.size)?;
    let (mut message, mut bytes) = (Vec::new(), 0);
    while args.count.is_none_or(|count| receiver.received() < count) {
        if !next(args, setting, &mut receiver, &mut message)? {
            break;
        }
        writer.write(&message)?;
        bytes += message.len() as u64;
    }
    writer.finish()?;
    let summary = Summary {
        name: &args.name,
        capacity_bytes: receiver.capacity_bytes(),
        received: receiver.received(),
        received_bytes: bytes,
        empty: receiver.empty(),
        restarts: receiver.restarts(),
        elapsed_ns: setting.elapsed_ns(),
    };
    let text = format!("{}: {} received, {bytes} bytes", args.name, summary.received);
    setting.tell(&summary, &text)
}

/// False at the end of the messages.
fn next(
    args: &Args,
    setting: &Setting<'_>,
    receiver: &mut Receiver,
    message: &mut Vec<u8>,
) -> anyhow::Result<bool> {
    let until = deadline(Some(args.timeout));
    let satisfied = args.count.is_none() && receiver.received() > 0;
    loop {
        match receiver.recv(message, SLICE.min(args.timeout)) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(error) if error.kind() == ErrorKind::Disconnected && args.count.is_none() => {
                return Ok(false);
            }
            Err(error) => return Err(error).context(Shmbuf),
        }
        if setting.interrupt.asked() || satisfied && is_passed(until) {
            return Ok(false);
        }
        if is_passed(until) {
            let time = args.timeout.as_secs_f64();
            bail!("shmbuf {} has had no message for {time} s", args.name);
        }
    }
}
