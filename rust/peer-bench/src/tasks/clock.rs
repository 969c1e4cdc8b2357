//! The price of one look at CLOCK_MONOTONIC: every published frame of framelane carries one.

use crate::control::{Log, now};
use crate::role::serve;
use crate::shared::Shared;
use anyhow::Result;

pub fn run(shared: &Shared) -> Result<()> {
    serve(|count| {
        let start = now();
        for _ in 0..count {
            std::hint::black_box(now());
        }
        Log(shared).sent(0, now() - start);
        Ok(())
    })
}
