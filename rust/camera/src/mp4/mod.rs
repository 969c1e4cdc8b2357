//! Video in MP4 files: fragmented ones written, fragmented and plain ones read.
//!
//! The boxes are those of the crate `mp4-atom`. What is read is taken for hostile: files are walked
//! box by box, each size is held against the size of what it lies in, tables stay as they are in
//! the file, and no box makes this one go deeper than the path to the tables that it needs.
//!
//! Access units are Annex B on the outside. Inside a file NAL units have their length in front,
//! and the parameter sets that the sample entry holds are left out of the samples: so the entry is
//! a plain `avc1` or `hvc1`, which every player reads. A reader puts them in front of key pictures
//! again. Nothing else about the NAL units changes.

mod boxes;
mod entry;
mod fragments;
mod mux;
mod nal;
mod reader;
mod sets;
mod tables;
mod track;

pub use entry::Entry;
pub use mux::{Fragment, Muxer, Sample, TIMESCALE};
pub use reader::{Contents, Reader, Unit};
pub use sets::ParameterSets;

#[cfg(test)]
mod tests;
