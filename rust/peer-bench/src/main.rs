//! Measures framelane beside other ways to hand frames from one process to others, in one run.
//!
//! What each figure includes and how it is taken stands in the README of this crate.

mod contest;
mod control;
mod lanes;
mod machine;
mod python;
mod report;
mod role;
mod rows;
mod session;
mod shared;
mod stats;
mod tasks;

use anyhow::{Result, ensure};
use clap::Parser;
use machine::Machine;
use report::{json, print};
use rows::{Row, Settings};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Measures framelane beside other ways to hand frames over, in one run.
#[derive(Parser)]
#[command(name = "cargo xtask bench", version)]
struct Arguments {
    /// Fewer rounds: half a minute instead of three
    #[arg(long)]
    quick: bool,
    /// Only these rows
    #[arg(long, value_enum, value_name = "ROW")]
    only: Vec<Row>,
    /// Print JSON, every round of every figure, instead of tables
    #[arg(long)]
    json: bool,
    /// Write the JSON to a file as well
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let outcome = match words.next().as_deref() {
        Some("role") => return act(&words.next().unwrap_or_default()),
        Some(session::WORD) => {
            let arguments = std::iter::once("cargo xtask bench".to_owned()).chain(words);
            session::enter().and_then(|()| measure(&Arguments::parse_from(arguments)))
        }
        // Mistakes and --help are answered here; what is to be measured gets a session.
        _ => {
            Arguments::parse();
            return session::supervise();
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(orders: &str) -> ExitCode {
    match role::run(orders) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The parent reads it; if that is gone there is nobody to tell.
            let _ = role::say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<()> {
    let processors = std::thread::available_parallelism()?.get();
    ensure!(processors >= 2, "two processors are needed, this machine gives {processors}");
    let settings = Settings { quick: arguments.quick, machine: Machine::look() };
    let rows = match &arguments.only[..] {
        [] => Row::OF_FRAMES,
        some => some,
    };
    let start = Instant::now();
    if !arguments.json {
        println!("# framelane and its peers\n\n{}\n", settings.machine.describe());
        println!("Medians of interleaved rounds; ratios are medians of round against round.\n");
    }
    let mut outcomes = Vec::new();
    for row in rows {
        let from = start.elapsed();
        let outcome = row.run(&settings)?;
        if !arguments.json {
            outcome.tables.iter().for_each(|table| println!("{}", print::table(table)));
        }
        eprintln!("({}: {:.1} s)\n", outcome.row, (start.elapsed() - from).as_secs_f64());
        outcomes.push(outcome);
    }
    let goals: Vec<_> = outcomes.iter().flat_map(|outcome| outcome.goals.clone()).collect();
    if arguments.json {
        println!("{}", json::document(&settings.machine, &outcomes)?);
    } else {
        println!("{}", print::goals(&goals));
    }
    if let Some(file) = &arguments.save {
        std::fs::write(file, json::document(&settings.machine, &outcomes)?)?;
    }
    Ok(())
}
