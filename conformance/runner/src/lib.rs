//! Plays conformance scenarios with agents of every language as producer and as consumer.
//!
//! Links no binding: it only talks to agents over their standard input and output, as
//! conformance/README.md says, and owns all deadlines, kills and restarts.

mod capabilities;
mod cast;
mod leaks;
mod pattern;
mod play;
mod process;
mod recipe;
mod report;
mod results;
mod run;
mod scenario;
mod values;

pub use capabilities::Capabilities;
pub use process::{Launch, Patience, Process};
pub use recipe::{Places, Recipe};
pub use report::{json, junit, matrix};
pub use results::{Case, Outcome, Pair, Verdict};
pub use run::{Board, Plan, run};
pub use scenario::Scenario;
