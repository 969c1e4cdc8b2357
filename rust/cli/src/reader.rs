//! Frames of a lane, or of whatever lane of a switch is active: to look at, they are the same.

use crate::{lanes, numbers};
use framelane::{Consumer, ConsumerOptions, ErrorKind, Frame, Result, Switch};
use std::time::Duration;

/// A reader of either.
pub enum Reader {
    Lane(Box<Consumer>),
    Switch(Box<Switch>),
}

impl Reader {
    /// Opens the lane or switch of this name.
    pub fn open(name: &str, options: ConsumerOptions) -> Result<Reader> {
        let refused = match Consumer::open(name, options.clone()) {
            Ok(consumer) => return Ok(Reader::Lane(consumer.into())),
            Err(error) => error,
        };
        let is_switch = refused.kind() == ErrorKind::Unsupported
            && lanes::find(name).is_ok_and(|found| numbers::is_switch(&found.report));
        match is_switch {
            true => Ok(Reader::Switch(Switch::open(name, options)?.into())),
            false => Err(refused),
        }
    }

    pub fn next(&mut self, timeout: Duration) -> Result<Option<Frame>> {
        match self {
            Reader::Lane(consumer) => consumer.next(timeout),
            Reader::Switch(switch) => switch.next(timeout),
        }
    }

    pub fn try_next(&mut self) -> Result<Option<Frame>> {
        match self {
            Reader::Lane(consumer) => consumer.try_next(),
            Reader::Switch(switch) => switch.try_next(),
        }
    }

    /// Whether there may be a frame without waiting for it.
    pub fn is_ready(&self) -> bool {
        match self {
            Reader::Lane(consumer) => consumer.is_ready(),
            Reader::Switch(switch) => switch.is_ready(),
        }
    }

    pub fn wait(&mut self, timeout: Duration) -> Result<bool> {
        match self {
            Reader::Lane(consumer) => consumer.wait(timeout),
            Reader::Switch(switch) => switch.wait(timeout),
        }
    }

    /// Whether there is a producer of what is read.
    pub fn has_producer(&self) -> bool {
        match self {
            Reader::Lane(consumer) => consumer.lane().is_some(),
            Reader::Switch(switch) => switch.lane().is_some(),
        }
    }

    pub fn received(&self) -> u64 {
        match self {
            Reader::Lane(consumer) => consumer.received(),
            Reader::Switch(switch) => switch.received(),
        }
    }

    pub fn missed(&self) -> u64 {
        match self {
            Reader::Lane(consumer) => consumer.missed(),
            Reader::Switch(switch) => switch.missed(),
        }
    }
}
