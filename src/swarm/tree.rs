//! The stacks of an app, and of the apps of other workspaces in them, as they are called in the swarm.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::app::Stack;
use crate::pipeline::{Options, Session, others};
use crate::plan::Plan;
use crate::shell::Shell;

/// A workspace's plan, with those of the workspaces that its stacks name.
pub struct Apps {
    /// How it was read.
    pub options: Options,
    /// What is decided.
    pub plan: Plan,
    /// By stack, and the name there.
    pub others: BTreeMap<(String, String), Apps>,
}

impl Apps {
    /// Reads the workspace, and all that its stacks name.
    ///
    /// # Errors
    /// When one cannot be read, or workspaces name each other in a cycle.
    pub fn read(options: &Options, shell: &Shell) -> Result<Self> {
        Self::inside(options, &mut Vec::new(), shell)
    }

    fn inside(options: &Options, around: &mut Vec<PathBuf>, shell: &Shell) -> Result<Self> {
        let Session { plan, .. } = Session::start(options, shell)?;
        let here = plan.workspace.canonicalize().unwrap_or_else(|_| plan.workspace.clone());
        around.push(here);
        let mut apps = BTreeMap::new();
        for stack in &plan.stacks {
            for (name, folder) in &stack.apps {
                others::refuse_cycle(around, folder)?;
                let own = others::options(options, folder);
                let other = Self::inside(&own, around, shell)
                    .with_context(|| format!("failed to read the app `{name}` of the stack `{}`", stack.name))?;
                apps.insert((stack.name.to_string(), name.clone()), other);
            }
        }
        around.pop();
        Ok(Self { options: options.clone(), plan, others: apps })
    }
}

/// A stack and where it is.
pub struct Node<'a> {
    pub plan: &'a Plan,
    pub stack: &'a Stack,
    /// Its name in the swarm: those of all stacks around it, and its own.
    pub full: String,
    /// What the stack around it calls it; none if there is none around it.
    pub alias: Option<String>,
    /// The stack around it.
    pub parent: Option<String>,
    /// The outermost app.
    pub app: String,
    pub children: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    /// All stacks, from the outermost on.
    ///
    /// # Errors
    /// When two would have one name.
    pub fn tree(apps: &'a Apps) -> Result<Self> {
        let top = Self::of(apps, apps.plan.stacks.last(), None, None, apps.plan.name.as_str())?;
        let mut names: Vec<String> = Vec::new();
        top.walk(&mut |node| names.push(node.full.clone()));
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            bail!("two stacks would be named `{}` in the swarm: rename one of them", pair[0]);
        }
        Ok(top)
    }

    fn of(apps: &'a Apps, stack: Option<&'a Stack>, alias: Option<&str>, parent: Option<&str>, app: &str) -> Result<Self> {
        let plan = &apps.plan;
        let stack = stack.context("the plan has no stack")?;
        let own = alias.unwrap_or(stack.name.as_str());
        let full = parent.map_or_else(|| own.to_owned(), |parent| format!("{parent}-{own}"));
        let mut children = Vec::new();
        for name in &stack.stacks {
            let inner = plan.stacks.iter().find(|stack| stack.name.as_str() == name);
            children.push(Self::of(apps, inner, Some(name), Some(&full), app)?);
        }
        for name in stack.apps.keys() {
            let other = apps.others.get(&(stack.name.to_string(), name.clone())).context("an app was not read")?;
            children.push(Self::of(other, other.plan.stacks.last(), Some(name), Some(&full), app)?);
        }
        let (alias, parent) = (alias.map(str::to_owned), parent.map(str::to_owned));
        Ok(Self { plan, stack, full, alias, parent, app: app.to_owned(), children })
    }

    /// It, and then all stacks in it.
    pub fn walk(&self, see: &mut dyn FnMut(&Node<'a>)) {
        see(self);
        self.children.iter().for_each(|child| child.walk(see));
    }

    /// It, and then all stacks in it that are deployed along with it.
    pub fn walk_uncontrolled<'n>(&'n self, see: &mut dyn FnMut(&'n Node<'a>)) {
        see(self);
        self.children.iter().filter(|child| !child.has_controller()).for_each(|child| child.walk_uncontrolled(see));
    }

    /// Whether a service of the stack around it brings it up: that of another workspace's app is in no stack.
    pub fn has_controller(&self) -> bool {
        let other_app = self.alias.is_some() && self.plan.stacks.last().is_some_and(|stack| stack.name == self.stack.name);
        self.stack.image && !other_app
    }

    /// The network in which it meets the stacks in it.
    pub fn family(&self) -> String {
        family(&self.app, &self.full)
    }

    /// What the stack and all its services are told; `host` is the engine's.
    pub fn variables(&self, host: &str) -> BTreeMap<String, String> {
        let network = self.parent.as_ref().map(|parent| family(&self.app, parent)).unwrap_or_default();
        let parent = self.parent.clone().unwrap_or_default();
        let host = if parent.is_empty() { "" } else { host };
        [
            ("PARENT", parent.clone()),
            ("PARENTHOST", host.to_owned()),
            ("APPNAME", self.app.clone()),
            ("STACKNAME", self.full.clone()),
            ("PARENT_NETWORK", network),
        ]
        .into_iter()
        .map(|(name, value)| (format!("{}_{name}", self.plan.swarm.variables), value))
        .collect()
    }

    /// Names of its services in the order in which they start: those of one list together, the gateway last.
    pub fn waves(&self) -> Vec<Vec<String>> {
        crate::render::waves(self.plan, self.stack)
    }
}

fn family(app: &str, stack: &str) -> String {
    format!("{app}_{stack}_family")
}
