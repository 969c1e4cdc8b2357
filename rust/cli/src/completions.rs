//! `framelane completions`

use crate::args::Cli;
use crate::output;
use clap::{CommandFactory, ValueEnum};
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "\
bash:  framelane completions bash > ~/.local/share/bash-completion/completions/framelane
zsh:   framelane completions zsh > \"${fpath[1]}/_framelane\"
fish:  framelane completions fish > ~/.config/fish/completions/framelane.fish")]
pub struct Args {
    /// Shell to write for
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "framelane", &mut script);
    output::print_bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}
