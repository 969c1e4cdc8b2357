//! `cargo xtask`: demonstrates, tests and measures the project.

mod aarch64;
mod asking;
mod attached;
mod bench;
mod browser;
mod conformance;
mod containers;
mod counts;
mod cpp;
mod demo;
mod fuzz;
mod golang;
mod header;
mod hello;
mod hobot;
mod http;
mod install;
mod interrupt;
mod kotlin;
mod loom;
mod pet_camera;
mod process;
mod python;
mod readme;
mod recipes;
mod running;
mod schema;
mod soak;
mod test;
mod tidy;
mod tiers;
mod tools;
mod tsan;
mod vm;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about, version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the whole pet camera, and end with a report of what was measured
    Demo(demo::Options),
    /// Run the tests: all that fit 25 minutes, or chosen tiers
    Test(test::Options),
    /// Print every language's layout from the schema, or check what was printed
    Schema(schema::Options),
    /// Measure the lane beside its peers, in one run
    Bench(bench::Options),
    /// Have every language play every scenario with every language
    Conformance(conformance::Options),
    /// Test with real cameras of the kernel's, in an emulated machine
    Vm(vm::Options),
    /// Check style and architecture
    Tidy,
    /// Install the library, its headers and a pkg-config file
    Install(install::Options),
    /// Install the Kotlin artifact for Maven projects of this machine
    Kotlin(kotlin::Options),
    /// Print the C header from the sources of the C ABI
    Header(header::Options),
    /// Run a program that ends when whoever started it does
    #[command(hide = true)]
    Attached(attached::Options),
    /// Install the tools that tests need and print where they come from
    Tools,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = interrupt::listen().and_then(|()| match arguments.command {
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Schema(options) => schema::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Conformance(options) => conformance::run(&options),
        Command::Vm(options) => vm::run(&options),
        Command::Tidy => tidy::run(),
        Command::Install(options) => install::run(&options),
        Command::Kotlin(options) => kotlin::run(&options),
        Command::Header(options) => header::run(&options),
        Command::Attached(options) => attached::run(&options),
        Command::Tools => tools::list(),
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        // What went wrong stands in the output already.
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
