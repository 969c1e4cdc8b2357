//! The Rust agent of the conformance runs: does line by line what conformance/README.md says.

mod consuming;
mod fields;
mod line;
mod messages;
mod pixels;
mod producing;
mod reading;
mod switching;
mod writing;

use consuming::{Ask, Consuming};
use framelane::FrameDescriptor;
use line::{Answer, Line, Refusal, misunderstood};
use messages::Messages;
use producing::Producing;
use reading::StreamReading;
use std::io::{BufRead, Write};
use switching::Switching;
use writing::Writing;

#[derive(Default)]
struct Agent {
    // In this order: what is held goes before what it is held from.
    consuming: Consuming,
    producing: Producing,
    reading: StreamReading,
    writing: Writing,
    messages: Messages,
    switching: Switching,
}

impl Agent {
    fn obey(&mut self, line: &Line<'_>) -> Answer {
        let (consuming, producing) = (&mut self.consuming, &mut self.producing);
        let (reading, writing) = (&mut self.reading, &mut self.writing);
        match line.word {
            "create" => producing.create(line),
            "publish" => producing.publish(line),
            "claim" => producing.claim(line),
            "fill" => producing.fill(line),
            "commit" => producing.commit(line),
            "abandon" => producing.abandon(line),
            "publish_external" => producing.publish_external(line),
            "returned" => producing.returned(),
            "recall" => producing.recall(),
            "report" => producing.report(),
            "close_producer" => producing.close(),
            "open" => consuming.open(line),
            "next" => consuming.ask(Ask::Next, line),
            "try" => consuming.ask(Ask::Try, line),
            "latest" => consuming.ask(Ask::Latest, line),
            "wait" => consuming.wait(line),
            "poll" => consuming.poll(line),
            "read" => consuming.read(line),
            "in_place" => consuming.in_place(line),
            "describe" => consuming.describe(line),
            "check" => consuming.check(line),
            "release" => consuming.release(line),
            "count" => consuming.count(line),
            "close" => consuming.close(line),
            "close_later" => consuming.close_later(line),
            "create_stream" => writing.create(line),
            "write" => writing.write(line),
            "begin_record" => writing.begin(line),
            "append" => writing.append(line),
            "commit_record" => writing.commit(line),
            "abandon_record" => writing.abandon(),
            "set_config" => writing.set_config(line),
            "key_wanted" => writing.key_wanted(line),
            "stream_report" => writing.report(),
            "close_writer" => writing.close(),
            "open_stream" => reading.open(line),
            "next_record" => reading.next(line),
            "read_record" => reading.read(line),
            "release_record" => reading.release(line),
            "seek" => reading.seek(line),
            "request_key" => reading.request_key(line),
            "wait_stream" => reading.wait(line),
            "poll_stream" => reading.poll(line),
            "count_stream" => reading.count(line),
            "close_stream" => reading.close(line),
            "decode" => decode(line),
            "reset" => {
                *self = Agent::default();
                Ok(String::new())
            }
            _ => self.obey_of_rings(line),
        }
    }

    fn obey_of_rings(&mut self, line: &Line<'_>) -> Answer {
        let messages = &mut self.messages;
        match line.word {
            "create_ring" => messages.create(line),
            "send" => messages.send(line),
            "drain" => messages.drain(line),
            "count_ring" => messages.count_sent(),
            "close_ring" => messages.close_sender(),
            "open_ring" => messages.open(line),
            "receive" => messages.receive(line),
            "skip" => messages.skip(),
            "count_received" => messages.count_received(),
            "close_receiver" => messages.close_receiver(),
            _ => self.obey_of_switches(line),
        }
    }

    fn obey_of_switches(&mut self, line: &Line<'_>) -> Answer {
        let switching = &mut self.switching;
        match line.word {
            "create_switch" => switching.create(line),
            "select_lane" => switching.select(line),
            "propose" => switching.propose(line),
            "set_automatic" => switching.set_automatic(),
            "switch_report" => switching.report(),
            "close_switch" => switching.close(),
            "open_switch" => switching.open(line),
            "next_of_switch" => switching.next(line),
            "switch_status" => switching.status(),
            "leave_switch" => switching.leave(),
            "ask_switch" => switching::ask(line),
            word => Err(misunderstood(format!("there is no command {word:?}"))),
        }
    }
}

fn decode(line: &Line<'_>) -> Answer {
    use zerocopy::FromBytes;
    let bytes = std::fs::read(line.need::<String>("file")?).map_err(misunderstood)?;
    let descriptor = FrameDescriptor::read_from_bytes(&bytes)
        .map_err(|_| misunderstood(format!("{} bytes are no descriptor", bytes.len())))?;
    Ok(fields::text(&descriptor))
}

fn main() -> std::io::Result<()> {
    framelane_hobot::register();
    let mut agent = Agent::default();
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready language=rust")?;
    for text in std::io::stdin().lock().lines() {
        let text = text?;
        if text == "quit" {
            break;
        }
        let answer = match Line::parse(&text).and_then(|line| agent.obey(&line)) {
            Ok(values) => format!("ok{values}"),
            Err(Refusal::Nothing) => "none".to_owned(),
            Err(Refusal::Error(error)) => {
                format!("error kind={} text={error}", error.kind().name())
            }
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
