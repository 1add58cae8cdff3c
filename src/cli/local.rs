//! The verbs for what `run` and `dev` started on this machine.

use clap::{Args, Subcommand};

use super::args::defaults;
use super::flags::{ConfigArgs, ManifestArgs};
use super::help;
use crate::commands::local::{self, LocalApp, LogOptions};
use crate::shell::Shell;

#[derive(Subcommand)]
pub enum LocalCommand {
    /// List the containers that `run` and `dev` started
    Ps {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        app: LocalArgs,
    },
    /// Print the output of services that `run` and `dev` started
    #[command(after_help = help::LOGS)]
    Logs {
        /// Services [default: all]
        #[arg(value_name = "SERVICE")]
        services: Vec<String>,
        /// Keep printing until the services end
        #[arg(short, long)]
        follow: bool,
        /// Only the last lines of each service
        #[arg(long, value_name = "LINES")]
        tail: Option<usize>,
        #[command(flatten)]
        app: LocalArgs,
    },
    /// Run a command in the container of a service that `run` or `dev` started
    #[command(after_help = help::EXEC)]
    Exec {
        /// Service
        service: String,
        /// Program and arguments
        #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
        #[command(flatten)]
        app: LocalArgs,
    },
    /// Stop and remove what `run` and `dev` started
    #[command(after_help = help::STOP)]
    Stop {
        #[command(flatten)]
        app: LocalArgs,
    },
}

/// Which app that runs on this machine.
#[derive(Args)]
pub struct LocalArgs {
    /// App [default: the workspace's]
    #[arg(long = "app", value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    manifest: ManifestArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

impl LocalArgs {
    /// The app that the flags name.
    pub fn app(self) -> anyhow::Result<LocalApp> {
        let Self { name, manifest, config } = self;
        let mut options = defaults()?;
        manifest.give(&mut options);
        config.give(&mut options);
        Ok(LocalApp { options, name })
    }
}

/// Runs one of the verbs.
pub fn run(command: LocalCommand, shell: &Shell) -> anyhow::Result<()> {
    match command {
        LocalCommand::Ps { json, app } => local::ps(&app.app()?, json, shell),
        LocalCommand::Logs { services, follow, tail, app } => {
            local::logs(&app.app()?, &LogOptions { services, follow, tail }, shell)
        }
        LocalCommand::Exec { service, words, app } => local::exec(&app.app()?, &service, &words, shell),
        LocalCommand::Stop { app } => local::stop(&app.app()?, shell),
    }
}
