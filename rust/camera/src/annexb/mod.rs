//! H.264 and H.265 byte streams (Annex B), taken apart into access units.
//!
//! A [`Splitter`] takes bytes in chunks of any size and gives back whole access units, each with
//! what a stream lane wants to know of it. What is no video costs a typed error, and reading goes
//! on at the next start code; memory is bounded whatever comes.
//!
//! Start codes are found by `h264-reader`, which reads H.264's parameter sets too.
//!
//! An access unit is known to be whole when the next one begins, so a live picture comes out when
//! the first bytes of its successor are there: one picture late.

mod error;
mod h264;
mod h265;
mod sets;
mod splitter;
mod syntax;
mod unit;

pub use error::SplitError;
pub(crate) use sets::{LARGEST as LARGEST_SET, MOST as MOST_SETS};
pub use splitter::Splitter;
pub(crate) use unit::Queue;
pub use unit::{AccessUnit, VideoParameters};

use framelane::Codec;
pub(crate) use syntax::Facts;
use syntax::{Role, Set, Syntax};

/// What the video of one whole access unit with its parameter sets is; None where it has none.
pub fn parameters(codec: Codec, unit: &[u8]) -> Option<VideoParameters> {
    let mut splitter = Splitter::new(codec).ok()?;
    splitter.push(unit, 0);
    splitter.finish();
    std::iter::from_fn(|| splitter.take()).flatten().find_map(|unit| unit.parameters)
}

/// What an SPS says, without its start code.
pub(crate) fn facts(codec: Codec, sps: &[u8]) -> Result<Facts, SplitError> {
    let Some(syntax) = Syntax::of(codec) else { return Err(syntax::bad_unit(sps)) };
    match syntax.role(sps)? {
        Role::Set(Set::Sps { facts, .. }) => Ok(facts),
        _ => Err(syntax::bad_unit(sps)),
    }
}

#[cfg(test)]
mod tests;
