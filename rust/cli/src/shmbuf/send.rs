//! `framelane shmbuf send`

use super::messages::Reader;
use super::{SLICE, Setting, Shmbuf, deadline, is_passed};
use crate::failure::Usage;
use crate::units;
use anyhow::{Context, bail};
use framelane::shmbuf::{Sender, SenderOptions};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(clap::Args)]
#[command(after_help = "\
The ring takes the largest power of two that fits --capacity, as upstream programs do. C++ receivers
must be told the same capacity; those that are told none work up to 4194304 bytes of ring only.")]
pub struct Args {
    /// Name of the segment, with or without a slash in front
    name: String,
    /// File of the messages, or - for standard input; each with its length before it as four bytes,
    /// little endian, unless --size says how long all are
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Bytes that the ring is asked for
    #[arg(long, value_name = "BYTES")]
    capacity: u64,
    /// Bytes of each message in the file
    #[arg(long, value_name = "BYTES")]
    size: Option<usize>,
    /// Stop after so many messages
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Send the file so many times
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: u64,
    /// Seconds to wait for room, and at the end for the receiver
    #[arg(long, value_name = "S", default_value = "5", value_parser = units::seconds)]
    timeout: Duration,
    /// Drop and count messages that find the ring full, instead of waiting
    #[arg(long)]
    drop: bool,
    /// Permissions of the segment; a receiver needs to read and write
    #[arg(long, value_name = "OCTAL", default_value = "600", value_parser = octal)]
    mode: u32,
    /// Leave the segment there at the end
    #[arg(long)]
    keep: bool,
    /// Set the counters back before a Python receiver stops at 4 GiB; never for a C++ receiver
    #[arg(long)]
    python_receiver: bool,
}

#[derive(Serialize)]
struct Summary<'a> {
    name: &'a str,
    capacity_bytes: usize,
    sent: u64,
    sent_bytes: u64,
    /// Messages given up because the ring was full.
    dropped: u64,
    /// What nobody has read.
    unread_bytes: usize,
    elapsed_ns: u64,
}

/// Reads permissions in octal.
fn octal(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).map_err(|error| error.to_string())?;
    if mode & !0o666 == 0 { Ok(mode) } else { Err("only 666 and parts of it make sense".into()) }
}

/// How sending a message ended.
enum Sent {
    Yes,
    Dropped,
    Interrupted,
}

pub fn run(args: &Args, setting: &Setting<'_>) -> anyhow::Result<()> {
    if args.repeat > 1 && args.file == Path::new("-") {
        return Err(Usage("standard input cannot be repeated: name a file".into()).into());
    }
    let options = SenderOptions::new(args.capacity)
        .mode(args.mode)
        .keep(args.keep)
        .python_receiver(args.python_receiver)
        .bell(setting.args.bell)
        .directory(setting.args.directory.clone());
    let mut sender = Sender::create(&args.name, options).context(Shmbuf)?;
    let mut summary = Summary {
        name: &args.name,
        capacity_bytes: sender.capacity_bytes(),
        sent: 0,
        sent_bytes: 0,
        dropped: 0,
        unread_bytes: 0,
        elapsed_ns: 0,
    };
    for _ in 0..args.repeat {
        if !send_file(args, setting, &mut sender, &mut summary)? {
            break;
        }
    }
    let until = deadline(Some(args.timeout));
    while !args.keep && !sender.drain(SLICE)? && !is_passed(until) && !setting.interrupt.asked() {}
    summary.unread_bytes = sender.unread_bytes()?;
    summary.elapsed_ns = setting.elapsed_ns();
    let (sent, dropped, unread) = (summary.sent, summary.dropped, summary.unread_bytes);
    let text = format!("{}: {sent} sent, {dropped} dropped, {unread} bytes unread", args.name);
    setting.tell(&summary, &text)
}

/// False when there is to be no next time.
fn send_file(
    args: &Args,
    setting: &Setting<'_>,
    sender: &mut Sender,
    summary: &mut Summary<'_>,
) -> anyhow::Result<bool> {
    let mut messages = Reader::open(&args.file, args.size, sender.longest_message())?;
    let (mut message, mut some) = (Vec::new(), false);
    while args.count.is_none_or(|count| summary.sent + summary.dropped < count) {
        if setting.interrupt.asked() {
            return Ok(false);
        }
        if !messages.read(&mut message)? {
            return Ok(some);
        }
        some = true;
        match deliver(args, setting, sender, &message)? {
            Sent::Yes => {
                summary.sent += 1;
                summary.sent_bytes += message.len() as u64;
            }
            Sent::Dropped => summary.dropped += 1,
            Sent::Interrupted => return Ok(false),
        }
    }
    Ok(false)
}

fn deliver(
    args: &Args,
    setting: &Setting<'_>,
    sender: &mut Sender,
    message: &[u8],
) -> anyhow::Result<Sent> {
    if args.drop {
        return Ok(if sender.try_send(message)? { Sent::Yes } else { Sent::Dropped });
    }
    let until = deadline(Some(args.timeout));
    loop {
        if sender.send(message, SLICE.min(args.timeout))? {
            return Ok(Sent::Yes);
        }
        if setting.interrupt.asked() {
            return Ok(Sent::Interrupted);
        }
        if is_passed(until) {
            let time = args.timeout.as_secs_f64();
            bail!("shmbuf {} has had no room for {time} s: does anybody read it?", args.name);
        }
    }
}
