//! Arguments of `sbom`.

use std::path::PathBuf;

use clap::Args;

use super::args::BuiltArgs;
use super::values::SbomFormatArg;

#[derive(Args)]
pub struct SbomArgs {
    /// Bundle: an `.auterionos` file, a docker archive or an OCI archive, made by any tool [default: the last one built]
    pub file: Option<PathBuf>,
    /// Only this service
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// The format of the document
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: SbomFormatArg,
    /// Write the document to this file
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub built: BuiltArgs,
}
