//! The sample tables of a plain file, walked and never unrolled.

use super::boxes::{find, optional, required};
use crate::error::{Result, invalid};
use framelane::{Error, ErrorKind};
use mp4_atom::{
    Co64, Ctts, CttsEntry, Stco, Stsc, StscEntry, Stss, Stsz, StszSamples, Stts, SttsEntry,
};

/// Where a sample is and when it is due, in the units of its track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub offset: u64,
    pub size: u32,
    pub dts: u64,
    pub delay: i64,
    pub duration: u32,
    pub key: bool,
    /// Of the sample entries, from 0.
    pub entry: usize,
    pub capture_id: u64,
}

/// The tables as they are in the file.
#[derive(Debug, Default)]
pub(super) struct Tables {
    times: Vec<SttsEntry>,
    delays: Vec<CttsEntry>,
    keys: Option<Vec<u32>>,
    runs: Vec<StscEntry>,
    sizes: StszSamples,
    chunks: Vec<u64>,
}

/// A place in the tables.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    sample: u32,
    time: u64,
    times: Run,
    delays: Run,
    /// Key samples passed.
    keys: usize,
    run: usize,
    /// The chunk that the next sample is in, from 0, and how many of its samples are passed.
    chunk: usize,
    passed: u32,
    offset: u64,
}

/// A place in a table of runs.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    at: usize,
    passed: u32,
}

impl Run {
    /// The value of the next sample; the last one goes on for ever.
    fn next<T>(&mut self, table: &[T], count: impl Fn(&T) -> u32) -> Option<usize> {
        while self.at + 1 < table.len() && self.passed >= count(&table[self.at]) {
            *self = Run { at: self.at + 1, passed: 0 };
        }
        self.passed = self.passed.saturating_add(1);
        (self.at < table.len()).then_some(self.at)
    }
}

impl Tables {
    pub(super) fn read(stbl: &[u8]) -> Result<Tables> {
        if find(stbl, b"stz2")?.is_some() {
            let text = "sample sizes are packed (stz2), which is not read";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let chunks = match (optional::<Stco>(stbl)?, optional::<Co64>(stbl)?) {
            (_, Some(co64)) => co64.entries,
            (Some(stco), None) => stco.entries.into_iter().map(u64::from).collect(),
            (None, None) => Vec::new(),
        };
        Ok(Tables {
            times: required::<Stts>(stbl)?.entries,
            delays: optional::<Ctts>(stbl)?.map_or_else(Vec::new, |ctts| ctts.entries),
            keys: optional::<Stss>(stbl)?.map(|stss| stss.entries),
            runs: required::<Stsc>(stbl)?.entries,
            sizes: required::<Stsz>(stbl)?.samples,
            chunks,
        })
    }

    pub(super) fn samples(&self) -> u32 {
        match &self.sizes {
            StszSamples::Identical { count, .. } => *count,
            StszSamples::Different { sizes } => sizes.len() as u32,
        }
    }

    fn size(&self, sample: u32) -> u32 {
        match &self.sizes {
            StszSamples::Identical { size, .. } => *size,
            StszSamples::Different { sizes } => sizes[sample as usize],
        }
    }

    /// The duration of all samples where it is the same.
    pub(super) fn steady(&self) -> Option<u32> {
        let mut real = self.times.iter().filter(|run| run.sample_count > 1);
        let first = real.next()?.sample_delta;
        real.all(|run| run.sample_delta == first).then_some(first)
    }

    /// The next sample.
    pub(super) fn next(&self, at: &mut Cursor) -> Result<Option<Place>> {
        if at.sample >= self.samples() {
            return Ok(None);
        }
        let run = self.find_chunk(at)?;
        let size = self.size(at.sample);
        let offset = at.offset;
        at.offset = at.offset.saturating_add(size.into());
        at.passed += 1;
        let times = at.times.next(&self.times, |run| run.sample_count);
        let duration = times.map_or(0, |times| self.times[times].sample_delta);
        let delays = at.delays.next(&self.delays, |run| run.sample_count);
        let delay = delays.map_or(0, |delays| self.delays[delays].sample_offset);
        let dts = at.time;
        at.time = at.time.saturating_add(duration.into());
        at.sample += 1;
        let key = self.is_key(at);
        let entry = (run.sample_description_index as usize).saturating_sub(1);
        Ok(Some(Place { offset, size, dts, delay, duration, key, entry, capture_id: 0 }))
    }

    /// Goes on to the chunk of the next sample where the one before is used up.
    fn find_chunk(&self, at: &mut Cursor) -> Result<&StscEntry> {
        loop {
            let (Some(run), Some(&start)) = (self.runs.get(at.run), self.chunks.get(at.chunk))
            else {
                let (sample, all) = (at.sample, self.samples());
                return Err(invalid(format!("only {sample} of {all} samples are in a chunk")));
            };
            let ends = self.runs.get(at.run + 1).map(|next| next.first_chunk as usize);
            if ends.is_some_and(|end| at.chunk + 1 >= end) {
                at.run += 1;
                continue;
            }
            if at.passed < run.samples_per_chunk {
                if at.passed == 0 {
                    at.offset = start;
                }
                return Ok(run);
            }
            (at.chunk, at.passed) = (at.chunk + 1, 0);
        }
    }

    /// Whether the sample just passed is one to start at. Its number counts from 1.
    fn is_key(&self, at: &mut Cursor) -> bool {
        let Some(keys) = &self.keys else { return true };
        while keys.get(at.keys).is_some_and(|&key| key < at.sample) {
            at.keys += 1;
        }
        keys.get(at.keys) == Some(&at.sample)
    }
}
