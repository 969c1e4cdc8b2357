//! What the demo shows in the end, and whether it was right.

use super::cameras::{self, CameraEvidence};
use super::child::{Ended, Ending};
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Duration;

/// Everything that the demo saw.
pub struct Evidence {
    /// The camera, ended.
    pub camera: Ended,
    /// Each consumer process, ended, in the order they started.
    pub consumers: Vec<Ended>,
    /// The consumer of examples/hello in each language, ended by SIGTERM.
    pub languages: Vec<Ended>,
    /// What the lane said of itself near the end (`framelane info`).
    pub lane: Value,
    /// What became of the two cameras.
    pub cameras: CameraEvidence,
    /// Consumers that were attached at that moment.
    pub attached: u64,
    /// The snapshot's bytes.
    pub snapshot: Vec<u8>,
    /// Time from the first process to the last.
    pub elapsed: Duration,
}

/// One thing that had to hold.
pub struct Verdict {
    /// What had to hold.
    pub claim: &'static str,
    /// What stood against it; empty if it held.
    pub against: Vec<String>,
}

/// Name of the consumer that is killed.
pub const KILLED: &str = "killed";

/// Holds the evidence against everything the demo promises.
pub fn judge(evidence: &Evidence) -> Vec<Verdict> {
    let Evidence { camera, consumers, lane, attached, snapshot, .. } = evidence;
    let zero = |claim: &'static str, keys: &[&str]| {
        let mut against = Vec::new();
        for consumer in consumers {
            for key in keys {
                match consumer.figures[key].as_u64() {
                    Some(0) => {}
                    Some(count) => against.push(format!("{}: {key} {count}", consumer.name)),
                    None => against.push(format!("{} did not say {key}", consumer.name)),
                }
            }
        }
        Verdict { claim, against }
    };
    let mut verdicts = vec![
        zero("no torn frame", &["torn"]),
        zero("no frame out of order", &["out_of_order"]),
        zero("each missed frame is accounted for", &["unaccounted"]),
    ];
    verdicts.push(all_received("every consumer received frames", consumers));
    verdicts.push(all_received("every language received frames", &evidence.languages));
    verdicts.push(languages_are_in_order(&evidence.languages));
    let published = number(&camera.figures, "published");
    let readers = || consumers.iter().chain(&evidence.languages);
    let ahead = readers().filter(|c| number(&c.figures, "last_sequence") > published);
    verdicts.push(Verdict {
        claim: "nobody saw a frame that was not published",
        against: ahead.map(|c| format!("{}: more than {published}", c.name)).collect(),
    });
    verdicts.push(expect("the SDK copied no byte", &json!(copied_bytes(evidence)), 0));
    verdicts.push(expect(
        "the killed consumer is gone from the lane",
        &lane["consumers"],
        *attached,
    ));
    let endings = consumers.iter().chain([camera]).filter(|process| {
        let wanted = if process.name == KILLED { Ending::Signal(9) } else { Ending::Exit(0) };
        process.ending != wanted
    });
    // They read until SIGTERM, which they leave to the system.
    let ended = |process: &&Ended| process.ending != Ending::Signal(15);
    let endings = endings.chain(evidence.languages.iter().filter(ended));
    verdicts.push(Verdict {
        claim: "every process ended as it should",
        against: endings.map(|process| format!("{}: {:?}", process.name, process.ending)).collect(),
    });
    let picture = snapshot.starts_with(b"\x89PNG\r\n\x1a\n") && snapshot.len() > 1024;
    let against = if picture { vec![] } else { vec![format!("{} bytes", snapshot.len())] };
    verdicts.push(Verdict { claim: "the snapshot is a picture", against });
    verdicts.extend(cameras::judge(&evidence.cameras));
    verdicts
}

fn all_received(claim: &'static str, processes: &[Ended]) -> Verdict {
    let silent = processes.iter().filter(|process| number(&process.figures, "received") == 0);
    Verdict { claim, against: silent.map(|p| format!("{} received none", p.name)).collect() }
}

fn languages_are_in_order(languages: &[Ended]) -> Verdict {
    let wrong = languages.iter().filter(|l| number(&l.figures, "out_of_order") != 0);
    let against = wrong.map(|language| language.name.clone()).collect();
    Verdict { claim: "every language read in order", against }
}

fn expect(claim: &'static str, value: &Value, wanted: u64) -> Verdict {
    let against = match value.as_u64() {
        Some(found) if found == wanted => vec![],
        _ => vec![format!("{value} instead of {wanted}")],
    };
    Verdict { claim, against }
}

/// The report as text.
pub fn print(evidence: &Evidence, verdicts: &[Verdict]) -> String {
    let Evidence { camera, consumers, cameras, elapsed, .. } = evidence;
    let mut text = format!(
        "{:<12}{:<9}{:>8}{:>8}{:>6}{:>8}{:>12}{:>9}  {}\n",
        "process", "mode", "frames", "missed", "torn", "order", "p50", "CPU", "ended"
    );
    text += &source_row(camera, number(&camera.figures, "published"), *elapsed);
    consumers.iter().for_each(|reader| text += &book_row(reader, &mode(reader), *elapsed));
    evidence.languages.iter().for_each(|reader| text += &hello_row(reader, *elapsed));
    text += &source_row(&cameras.source, cameras.published(), *elapsed);
    cameras.followers.iter().for_each(|reader| text += &book_row(reader, "switch", *elapsed));
    cameras.languages.iter().for_each(|reader| text += &hello_row(reader, *elapsed));
    let copied = copied_bytes(evidence).zip(cameras.copied_bytes());
    let copied = json!(copied.map(|(clip, cameras)| clip + cameras));
    let _ = writeln!(text, "bytes copied by the SDK: {copied}\n");
    for verdict in verdicts {
        let mark = if verdict.against.is_empty() { "ok    " } else { "FAILED" };
        let _ = write!(text, "{mark} {}", verdict.claim);
        let _ = match verdict.against.as_slice() {
            [] => writeln!(text),
            against => writeln!(text, ": {}", against.join("; ")),
        };
    }
    text
}

fn mode(reader: &Ended) -> String {
    reader.figures["mode"].as_str().unwrap_or("?").to_owned()
}

/// Who fills lanes.
fn source_row(source: &Ended, published: u64, elapsed: Duration) -> String {
    let (cpu, ending) = (cpu(source, elapsed), ending(&source.ending));
    format!("{:<12}{published:>17}{cpu:>43}  {ending}\n", source.name)
}

/// A reader that keeps books.
fn book_row(reader: &Ended, mode: &str, elapsed: Duration) -> String {
    let figures = &reader.figures;
    let p50 = figures["latency_p50_ns"].as_f64().unwrap_or(f64::NAN) / 1e3;
    format!(
        "{:<12}{mode:<9}{:>8}{:>8}{:>6}{:>8}{:>12}{:>9}  {}\n",
        reader.name,
        number(figures, "received"),
        number(figures, "missed"),
        number(figures, "torn"),
        number(figures, "out_of_order"),
        format!("{p50:.1} µs"),
        cpu(reader, elapsed),
        ending(&reader.ending)
    )
}

/// A reader of examples/hello.
fn hello_row(reader: &Ended, elapsed: Duration) -> String {
    format!(
        "{:<12}{:<9}{:>8}{:>8}{:>35}  {}\n",
        reader.name,
        "hello",
        number(&reader.figures, "received"),
        number(&reader.figures, "missed"),
        cpu(reader, elapsed),
        ending(&reader.ending)
    )
}

fn cpu(process: &Ended, elapsed: Duration) -> String {
    format!("{:.1} %", 100.0 * process.cpu.as_secs_f64() / seconds(process, elapsed))
}

/// By the camera until its end and for every reader; unknown if either did not say.
fn copied_bytes(evidence: &Evidence) -> Option<u64> {
    let camera = evidence.camera.figures["copied_bytes"].as_u64()?;
    Some(camera.max(evidence.lane["copied_bytes"].as_u64()?))
}

/// A figure, 0 where there is none.
pub fn number(figures: &Value, key: &str) -> u64 {
    figures[key].as_u64().unwrap_or_default()
}

fn seconds(process: &Ended, elapsed: Duration) -> f64 {
    process.figures["elapsed_ns"].as_f64().map_or(elapsed.as_secs_f64(), |ns| ns / 1e9).max(0.01)
}

fn ending(ending: &Ending) -> String {
    match ending {
        Ending::Exit(0) => "well".to_owned(),
        Ending::Exit(code) => format!("with exit code {code}"),
        Ending::Signal(9) => "by kill -9".to_owned(),
        Ending::Signal(15) => "by SIGTERM".to_owned(),
        Ending::Signal(signal) => format!("by signal {signal}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(name: &str, ending: Ending) -> Ended {
        let figures = json!({
            "mode": "latest", "received": 100, "missed": 3, "torn": 0, "out_of_order": 0,
            "unaccounted": 0, "last_sequence": 103, "published": 103, "copied_bytes": 0,
            "latency_p50_ns": 21_500, "elapsed_ns": 4_000_000_000_u64,
        });
        Ended { name: name.into(), figures, cpu: Duration::from_millis(120), ending }
    }

    fn camera_source() -> Ended {
        let mut source = ended("cameras", Ending::Exit(0));
        source.figures["cameras"] = json!([]);
        source.figures["switches"] = json!([{ "switched": 2 }, { "switched": 2 }]);
        source
    }

    fn good() -> Evidence {
        let mut snapshot = b"\x89PNG\r\n\x1a\n".to_vec();
        snapshot.resize(4096, 0);
        Evidence {
            camera: ended("camera", Ending::Exit(0)),
            consumers: vec![ended("newest", Ending::Exit(0)), ended(KILLED, Ending::Signal(9))],
            languages: vec![ended("c", Ending::Signal(15))],
            lane: json!({ "copied_bytes": 0, "consumers": 1 }),
            cameras: CameraEvidence {
                source: camera_source(),
                followers: Vec::new(),
                languages: Vec::new(),
                lost: 0,
            },
            attached: 1,
            snapshot,
            elapsed: Duration::from_secs(10),
        }
    }

    fn failed(evidence: &Evidence) -> Vec<&'static str> {
        let failed = judge(evidence).into_iter().filter(|verdict| !verdict.against.is_empty());
        failed.map(|verdict| verdict.claim).collect()
    }

    #[test]
    fn a_good_run_is_found_good_and_printed() {
        let evidence = good();
        assert_eq!(failed(&evidence), Vec::<&str>::new());
        let text = print(&evidence, &judge(&evidence));
        assert!(text.contains("bytes copied by the SDK: 0"), "{text}");
        assert!(text.contains("21.5 µs") && text.contains("by kill -9"), "{text}");
        assert!(text.contains("3.0 %") && !text.contains("FAILED"), "{text}");
    }

    #[test]
    fn each_broken_promise_is_seen() {
        type Break = fn(&mut Evidence);
        let breaks: &[(&str, Break)] = &[
            ("no torn frame", |e| e.consumers[0].figures["torn"] = json!(1)),
            ("no torn frame", |e| e.consumers[0].figures["torn"] = Value::Null),
            ("no frame out of order", |e| e.consumers[1].figures["out_of_order"] = json!(2)),
            ("each missed frame is accounted for", |e| {
                e.consumers[0].figures["unaccounted"] = json!(1);
            }),
            ("every consumer received frames", |e| e.consumers[0].figures["received"] = json!(0)),
            ("nobody saw a frame that was not published", |e| {
                e.consumers[1].figures["last_sequence"] = json!(104);
            }),
            ("the SDK copied no byte", |e| e.lane["copied_bytes"] = json!(64)),
            ("the SDK copied no byte", |e| e.camera.figures["copied_bytes"] = json!(64)),
            ("the SDK copied no byte", |e| e.lane["copied_bytes"] = Value::Null),
            ("the killed consumer is gone from the lane", |e| e.lane["consumers"] = json!(2)),
            ("every process ended as it should", |e| e.camera.ending = Ending::Exit(1)),
            ("every process ended as it should", |e| e.consumers[1].ending = Ending::Exit(0)),
            ("the snapshot is a picture", |e| e.snapshot.clear()),
            ("every language received frames", |e| e.languages[0].figures["received"] = json!(0)),
            ("every language read in order", |e| {
                e.languages[0].figures["out_of_order"] = json!(1);
            }),
            ("every process ended as it should", |e| e.languages[0].ending = Ending::Exit(1)),
        ];
        for (claim, spoil) in breaks {
            let mut evidence = good();
            spoil(&mut evidence);
            assert_eq!(failed(&evidence), [*claim]);
        }
    }
}
