//! The hello programs: every producer with every consumer, found by their folders.

use crate::counts::Counts;
use crate::recipes::{Background, Kitchen, program};
use crate::{interrupt, workspace};
use anyhow::{Context, Result, bail};
use framelane_conformance::{Launch, Recipe};
use std::time::Duration;

/// Frames that a consumer reads.
const FRAMES: u64 = 5;
const LIMIT: Duration = Duration::from_secs(60);

/// The programs of one language.
pub struct Hello {
    /// Name of its folder.
    pub language: String,
    producer: Launch,
    /// How its consumer is started.
    pub consumer: Launch,
}

/// Builds the programs of every language.
pub fn build() -> Result<Vec<Hello>> {
    let folder = workspace::root().join("examples/hello");
    let recipes = Recipe::all(&folder, "hello.toml", &["producer", "consumer"])?;
    let kitchen = Kitchen::new("hello", None);
    kitchen.build(recipes.iter())?;
    let hello = |recipe: &Recipe| {
        let language = recipe.language.clone();
        let (producer, consumer) =
            (kitchen.launch(recipe, "producer")?, kitchen.launch(recipe, "consumer")?);
        Ok(Hello { language, producer, consumer })
    };
    recipes.iter().map(hello).collect()
}

/// Builds all and has each producer play with each consumer; then each ends by itself.
pub fn tier() -> Result<Counts> {
    let all = build()?;
    let mut counts = Counts::default();
    for producer in &all {
        counts +=
            Counts::told(&format!("{} alone", producer.language), ends_alone(&producer.producer));
        for consumer in &all {
            interrupt::check()?;
            let names = format!("{} -> {}", producer.language, consumer.language);
            counts += Counts::told(&names, together(&producer.producer, &consumer.consumer));
        }
    }
    Ok(counts)
}

/// The consumer reads from a producer that goes on for as long as it takes.
fn together(producer: &Launch, consumer: &Launch) -> Result<()> {
    let lanes = tempfile::tempdir()?;
    let _producer = Background::start(producer, lanes.path(), &["hello", "1000000"])?;
    let consumer = program(consumer, lanes.path(), &["hello", &FRAMES.to_string()]);
    let output = consumer.limit(LIMIT).check()?;
    read(&output)
}

/// A producer ends after its frames, also when nobody reads them.
fn ends_alone(producer: &Launch) -> Result<()> {
    let lanes = tempfile::tempdir()?;
    program(producer, lanes.path(), &["alone", "3"]).limit(LIMIT).check().map(drop)
}

/// A line of a consumer.
pub struct Line {
    /// Number of the frame.
    pub sequence: u64,
    /// First byte of its first plane.
    pub first: u8,
}

/// What a consumer's line says; None where it says something else.
pub fn line(text: &str) -> Option<Line> {
    let words: Vec<&str> = text.split(' ').collect();
    let ["frame", sequence, size, "first", "byte", first] = words[..] else {
        return None;
    };
    let (width, height) = size.split_once('x')?;
    (width.parse::<u32>().is_ok() && height.parse::<u32>().is_ok()).then_some(())?;
    Some(Line { sequence: sequence.parse().ok()?, first: first.parse().ok()? })
}

/// Lines that say what the frames of the producer are.
fn read(output: &str) -> Result<()> {
    let mut before = 0;
    let lines: Vec<&str> = output.lines().filter(|line| line.starts_with("frame ")).collect();
    for text in &lines {
        let line = line(text).with_context(|| format!("it prints {text:?}"))?;
        if line.sequence <= before || line.first != (line.sequence % 256) as u8 {
            bail!("it prints {text:?} after frame {before}");
        }
        before = line.sequence;
    }
    if lines.len() as u64 != FRAMES {
        bail!("it prints {} frames of {FRAMES}: {output:?}", lines.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(sequences: &[u64]) -> String {
        let line = |n: &u64| format!("frame {n} 640x480 first byte {}\n", n % 256);
        sequences.iter().map(line).collect()
    }

    #[test]
    fn lines_must_be_in_order_complete_and_right() {
        assert!(read(&lines(&[1, 2, 4, 256, 300])).is_ok());
        assert!(read(&lines(&[1, 2, 4])).is_err());
        assert!(read(&lines(&[1, 2, 2, 3, 4])).is_err());
        assert!(read(&lines(&[1, 2, 3, 4, 5]).replace("byte 3", "byte 9")).is_err());
        assert!(read(&lines(&[1, 2, 3, 4, 5]).replace("640x480", "640")).is_err());
    }

    #[test]
    fn frames_of_any_size_are_frames() {
        let line = line("frame 7 640x360 first byte 9").unwrap();
        assert_eq!((line.sequence, line.first), (7, 9));
    }
}
