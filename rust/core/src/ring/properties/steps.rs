//! What producer and consumers may do.

use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Claim,
    /// Publishes so many of the claimed slots, the oldest first.
    Publish(usize),
    Abandon(usize),
    /// Claims and publishes so many frames, one after the other.
    Turn(usize),
    /// An honest consumer takes the newest frame, or the next in order.
    Newest(usize, usize),
    Next(usize, usize),
    Release(usize, usize),
    /// A hostile consumer writes into a cell: one of the tokens there are, or anything.
    Scribble(usize, usize, u64),
    Forge(usize, usize, u8, i8),
    Revoke(usize),
    Collect,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let consumer = 0..3_usize;
    let cell = 0..3_usize;
    prop_oneof![
        4 => Just(Step::Claim),
        4 => (1..4_usize).prop_map(Step::Publish),
        1 => (0..4_usize).prop_map(Step::Abandon),
        1 => (1..80_usize).prop_map(Step::Turn),
        4 => (consumer.clone(), cell.clone()).prop_map(|(c, k)| Step::Newest(c, k)),
        4 => (consumer.clone(), cell.clone()).prop_map(|(c, k)| Step::Next(c, k)),
        6 => (consumer.clone(), cell.clone()).prop_map(|(c, k)| Step::Release(c, k)),
        1 => (consumer.clone(), cell.clone(), any::<u64>())
            .prop_map(|(c, k, v)| Step::Scribble(c, k, v)),
        3 => (consumer, cell, 0..64_u8, -2..3_i8).prop_map(|(c, k, s, d)| Step::Forge(c, k, s, d)),
        2 => (0..64_usize).prop_map(Step::Revoke),
        1 => Just(Step::Collect),
    ]
}

#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) leases: Vec<usize>,
    pub(super) hostile: Vec<bool>,
    pub(super) claims: usize,
    pub(super) history: usize,
    /// Frames in device memory: revoked and collected, never proven by head.
    pub(super) device: bool,
}

pub(super) fn shape() -> impl Strategy<Value = Shape> {
    let consumers = prop::collection::vec((1..4_usize, any::<bool>()), 1..4);
    (consumers, 1..4_usize, 0..4_usize, any::<bool>()).prop_map(
        |(consumers, claims, history, device)| {
            let (leases, hostile) = consumers.into_iter().unzip();
            Shape { leases, hostile, claims, history, device }
        },
    )
}
