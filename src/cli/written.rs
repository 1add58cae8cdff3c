//! What `new-service` and `ci` can write.

use clap::ValueEnum;

use crate::commands::ci::CiProvider;
use crate::commands::new_service::ServiceTemplate;

#[derive(Clone, Copy, ValueEnum)]
pub enum TemplateArg {
    /// Answers over HTTP
    Http,
    /// Does its work at intervals
    Worker,
    /// Runs once and ends
    Cli,
    /// The image of a stack: brings it up, tells how it is, and takes it down when it ends; call it STACK-stack
    Stack,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum CiArg {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

impl TemplateArg {
    pub fn template(self) -> ServiceTemplate {
        match self {
            Self::Http => ServiceTemplate::Http,
            Self::Worker => ServiceTemplate::Worker,
            Self::Cli => ServiceTemplate::Cli,
            Self::Stack => ServiceTemplate::Stack,
        }
    }
}

impl CiArg {
    pub fn provider(self) -> CiProvider {
        match self {
            Self::Github => CiProvider::Github,
            Self::Gitlab => CiProvider::Gitlab,
        }
    }
}
