//! The tree of an app's stacks, including those of other workspaces' apps, with their names in the swarm.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::app::Stack;
use crate::pipeline::{Options, Session, others};
use crate::plan::Plan;
use crate::runtime::Variables;
use crate::shell::Shell;

/// A workspace's plan, with the plans of the workspaces that its stacks name.
pub struct Apps {
    /// The options it was read with.
    pub options: Options,
    /// The plan.
    pub plan: Plan,
    /// What its secrets and stack files may refer to.
    pub variables: Variables,
    /// The other apps, by stack and by their name in that stack.
    pub others: BTreeMap<(String, String), Apps>,
}

impl Apps {
    /// Reads the workspace, and every workspace that its stacks name.
    ///
    /// # Errors
    /// When one cannot be read, or workspaces include each other in a cycle.
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
        let variables = Variables::read(&plan.workspace)?;
        Ok(Self { options: options.clone(), plan, variables, others: apps })
    }
}

/// A stack and its position in the tree.
pub struct Node<'a> {
    pub plan: &'a Plan,
    /// What its secrets and stack file may refer to.
    pub environment: &'a Variables,
    pub stack: &'a Stack,
    /// Its name in the swarm: the names of its outer stacks and its own, joined by `-`.
    pub full: String,
    /// Its name in the outer stack; `None` for the outermost.
    pub alias: Option<String>,
    /// The swarm name of the outer stack.
    pub parent: Option<String>,
    /// The name of the outermost app.
    pub app: String,
    pub children: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    /// Builds the tree, starting from the outermost stack.
    ///
    /// # Errors
    /// When two stacks would have the same name.
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
        let (plan, environment) = (&apps.plan, &apps.variables);
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
        Ok(Self { plan, environment, stack, full, alias, parent, app: app.to_owned(), children })
    }

    /// Visits this stack, then all its inner stacks.
    pub fn walk(&self, see: &mut dyn FnMut(&Node<'a>)) {
        see(self);
        self.children.iter().for_each(|child| child.walk(see));
    }

    /// Visits this stack, then all inner stacks that are deployed with it rather than by a controller.
    pub fn walk_uncontrolled<'n>(&'n self, see: &mut dyn FnMut(&'n Node<'a>)) {
        see(self);
        self.children.iter().filter(|child| !child.has_controller()).for_each(|child| child.walk_uncontrolled(see));
    }

    /// Whether a service of the outer stack deploys it. The outermost stack of another workspace's app never has such a
    /// controller.
    pub fn has_controller(&self) -> bool {
        let other_app = self.alias.is_some() && self.plan.stacks.last().is_some_and(|stack| stack.name == self.stack.name);
        self.stack.image && !other_app
    }

    /// The network that connects it with its inner stacks.
    pub fn family(&self) -> String {
        family(&self.app, &self.full)
    }

    /// The variables for the stack and all its services; `host` is the engine's host name.
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

    /// Its services in start order: each inner list starts together, and the gateway comes last.
    pub fn waves(&self) -> Vec<Vec<String>> {
        crate::render::waves(self.plan, self.stack)
    }
}

fn family(app: &str, stack: &str) -> String {
    format!("{app}_{stack}_family")
}
