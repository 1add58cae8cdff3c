//! Flags and verbs of keys and signatures.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::BuiltArgs;
use super::help;
use crate::commands::signer::SignerOptions;
use crate::commands::{self, sign::SignOptions};
use crate::shell::Shell;

/// Whether to sign what is made, and who does it.
#[derive(Args)]
pub struct SignArgs {
    /// Sign with this private key, in PEM [default: the text in APPBUNDLE_SIGN_KEY]
    #[arg(long, value_name = "KEY", num_args = 0..=1, help_heading = "Signature")]
    sign: Option<Option<PathBuf>>,
    #[command(flatten)]
    program: ProgramArgs,
}

/// A program that signs.
#[derive(Args)]
pub struct ProgramArgs {
    /// Let this program sign; KEY is then the public key
    #[arg(long, value_name = "COMMAND", help_heading = "Signature")]
    with: Option<String>,
    /// Seconds that the program may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, help_heading = "Signature")]
    with_timeout: u64,
}

#[derive(Subcommand)]
pub enum SigningCommand {
    /// Sign a bundle
    #[command(after_help = help::SIGN)]
    Sign {
        /// Bundle: an `.auterionos` file, a docker archive or an OCI archive, made by any tool [default: the last one built]
        file: Option<PathBuf>,
        /// Private key, in PEM; with --with or --signature, the public key [default: the text in APPBUNDLE_SIGN_KEY]
        #[arg(long, value_name = "KEY", help_heading = "Signature")]
        key: Option<PathBuf>,
        #[command(flatten)]
        program: ProgramArgs,
        /// Print the SHA-256 sum that is to be signed, and sign nothing
        #[arg(long, conflicts_with_all = ["key", "with", "signature"], help_heading = "Signature")]
        print_digest: bool,
        /// Signature of that sum, made elsewhere
        #[arg(long, value_name = "FILE", requires = "key", conflicts_with = "with", help_heading = "Signature")]
        signature: Option<PathBuf>,
        /// Leave the bundle as it is, and write only the envelope beside it
        #[arg(long, help_heading = "Signature")]
        envelope: bool,
        #[command(flatten)]
        built: Box<BuiltArgs>,
    },
    /// Make a pair of keys for signing
    #[command(after_help = help::KEYGEN)]
    Keygen {
        /// Private key to write; the public key gets the extension `pub`
        #[arg(default_value = "appbundle.key")]
        file: PathBuf,
    },
}

/// Who may have signed.
#[derive(Args)]
pub struct VerifyKeyArgs {
    /// Public key, in PEM; repeat it for several, one of which must have signed
    #[arg(long = "key", value_name = "PUBLIC", help_heading = "Signature")]
    pub keys: Vec<PathBuf>,
    /// Fail if the bundle is not signed
    #[arg(long, help_heading = "Signature")]
    pub require_signature: bool,
}

impl SignArgs {
    /// Who signs, if anything is to be signed.
    pub fn signer(self) -> anyhow::Result<Option<SignerOptions>> {
        let Self { sign, program: ProgramArgs { with, with_timeout } } = self;
        if sign.is_none() && with.is_some() {
            anyhow::bail!("`--with` needs `--sign PUBLIC`, the public key of what the program signs");
        }
        Ok(sign.map(|key| SignerOptions { key, with, limit: with_timeout }))
    }
}

/// Runs one of the verbs; `last` finds the bundle of the last build.
pub fn run(
    command: SigningCommand,
    last: impl FnOnce(BuiltArgs) -> anyhow::Result<PathBuf>,
    shell: &Shell,
) -> anyhow::Result<()> {
    match command {
        SigningCommand::Sign { file, key, program, print_digest, signature, envelope, built } => {
            let ProgramArgs { with, with_timeout } = program;
            let file = file.map_or_else(|| last(*built), Ok)?;
            let signer = SignerOptions { key, with, limit: with_timeout };
            commands::sign::run(&SignOptions { file, signer, signature, print_digest, envelope }, shell)
        }
        SigningCommand::Keygen { file } => commands::keygen::run(&file, shell),
    }
}
