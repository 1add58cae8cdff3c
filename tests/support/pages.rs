//! The pages for users: README and docs/, with what of them can be run or checked.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::PathBuf;

use super::repository;

/// A page in Markdown.
pub struct Page {
    /// Relative to the repository.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// A block of code.
pub struct Block {
    /// The number of its first line, for messages.
    pub line: usize,
    /// What follows the opening fence.
    pub language: String,
    /// How its commands are tested.
    pub mark: Mark,
    /// What is in it.
    pub text: String,
}

/// The comment before a block, which says how its commands are tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// None: they are run as they are.
    Run,
    /// `<!-- run until "WORDS" -->`: they are interrupted once they have printed the words.
    RunUntil(String),
    /// `<!-- run by PATH -->`: another test runs them.
    RunBy(String),
    /// `<!-- not run: REASON -->`: no test runs them.
    NotRun(String),
}

/// README, CONTRIBUTING, and all pages of docs/.
pub fn pages() -> Vec<Page> {
    let walk = walkdir::WalkDir::new(repository().join("docs")).sort_by_file_name();
    let found = walk.into_iter().map(|entry| entry.expect("readable").into_path());
    let top = ["README.md", "CONTRIBUTING.md"].map(|name| repository().join(name));
    let paths = top.into_iter().chain(found.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    paths.map(|path| page_at(&path)).collect()
}

/// One page, by its path in the repository.
pub fn page(path: &str) -> Page {
    page_at(&repository().join(path))
}

fn page_at(path: &PathBuf) -> Page {
    let shown = path.strip_prefix(repository()).expect("in the repository").display().to_string();
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{shown}: {error}"));
    Page { path: shown, text }
}

impl Page {
    /// The blocks of code, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let (mut mark, mut open): (Mark, Option<Block>) = (Mark::Run, None);
        for (at, line) in self.text.lines().enumerate() {
            match &mut open {
                Some(_) if line == "```" => blocks.extend(open.take()),
                Some(block) => block.text += &format!("{line}\n"),
                None => match line.strip_prefix("```") {
                    Some(language) => {
                        let language = language.to_owned();
                        let mark = std::mem::replace(&mut mark, Mark::Run);
                        open = Some(Block { line: at + 2, language, mark, text: String::new() });
                    }
                    None => mark = self.mark(at + 1, line),
                },
            }
        }
        assert!(open.is_none() && mark == Mark::Run, "{}: a block or a mark is left over", self.path);
        blocks
    }

    fn mark(&self, number: usize, line: &str) -> Mark {
        let Some(inner) = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) else {
            assert!(!line.contains("<!--"), "{}:{number}: `{line}` is not a mark", self.path);
            return Mark::Run;
        };
        let until = inner.strip_prefix("run until \"").and_then(|rest| rest.strip_suffix('"'));
        match (until, inner.strip_prefix("run by "), inner.strip_prefix("not run: ")) {
            (Some(words), ..) => Mark::RunUntil(words.to_owned()),
            (_, Some(path), _) => Mark::RunBy(path.to_owned()),
            (.., Some(reason)) => Mark::NotRun(reason.to_owned()),
            _ => panic!("{}:{number}: `{inner}` is not a mark", self.path),
        }
    }

    /// The blocks with commands.
    pub fn sessions(&self) -> Vec<Block> {
        self.blocks().into_iter().filter(|block| matches!(block.language.as_str(), "sh" | "console")).collect()
    }

    /// What is between single back-ticks, outside of blocks.
    pub fn spans(&self) -> Vec<String> {
        let outside: String = self.text.split("```").step_by(2).collect();
        outside.lines().flat_map(|line| line.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

impl Block {
    /// The commands, without what they print.
    pub fn script(&self) -> String {
        match self.language.as_str() {
            "console" => self.text.lines().filter_map(|line| line.strip_prefix("$ ")).map(|line| format!("{line}\n")).collect(),
            _ => self.text.clone(),
        }
    }
}
