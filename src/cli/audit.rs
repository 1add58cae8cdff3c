//! The flags of `audit`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::AppArgs;
use super::flags::PackageArgs;
use crate::commands::audit::{self, AuditFormat, AuditOptions};
use crate::shell::Shell;
use crate::trust::advisory::Rating;

#[derive(Args)]
pub struct AuditArgs {
    /// Bundle to audit, made by any tool [default: the workspace, before anything is built]
    file: Option<PathBuf>,
    /// Folder of advisories; may be repeated [default: those of cargo-audit and cargo-deny]
    #[arg(long = "db", value_name = "FOLDER")]
    databases: Vec<PathBuf>,
    /// Fail only for vulnerabilities of this severity or above, and for those without one [default: for all]
    #[arg(long, value_name = "SEVERITY")]
    deny: Option<SeverityArg>,
    /// OpenVEX file that says which vulnerabilities do no harm; may be repeated
    #[arg(long, value_name = "FILE")]
    vex: Vec<PathBuf>,
    /// Write an OpenVEX file to fill in, with a statement for each vulnerability
    #[arg(long, value_name = "FILE")]
    vex_init: Option<PathBuf>,
    /// Form of the result
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ReportFormatArg,
    #[command(flatten)]
    package: PackageArgs,
    #[command(flatten)]
    app: AppArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum SeverityArg {
    /// All that have a severity
    Low,
    /// Medium, high and critical
    Medium,
    /// High and critical
    High,
    /// Critical only
    Critical,
}

#[derive(Clone, Copy, ValueEnum)]
enum ReportFormatArg {
    /// Text
    Human,
    /// JSON
    Json,
    /// SARIF 2.1.0, for code hosts
    Sarif,
}

impl AuditArgs {
    /// Audits what the flags say.
    pub fn run(self, shell: &Shell) -> anyhow::Result<()> {
        let Self { file, databases, deny, vex, vex_init, format, package, app } = self;
        let mut plan = app.options()?;
        package.give(&mut plan);
        let deny = deny.map(|severity| match severity {
            SeverityArg::Low => Rating::Low,
            SeverityArg::Medium => Rating::Medium,
            SeverityArg::High => Rating::High,
            SeverityArg::Critical => Rating::Critical,
        });
        let format = match format {
            ReportFormatArg::Human => AuditFormat::Human,
            ReportFormatArg::Json => AuditFormat::Json,
            ReportFormatArg::Sarif => AuditFormat::Sarif,
        };
        audit::run(&AuditOptions { file, databases, deny, vex, vex_init, format }, &plan, shell)
    }
}
