//! What differs from one deployment of a stack to the next: variables, with the value for a deployment by hand as their default.

use crate::app::Stack;
use crate::plan::Plan;

/// Where a stack is deployed: the name that the stack around it has for it; none for the outermost.
pub type Alias<'a> = Option<&'a str>;

/// `${AILTIRE_STACKNAME:-demo}`
pub fn variable(plan: &Plan, stack: &Stack, alias: Alias<'_>, name: &str) -> String {
    let path = path(plan, stack.name.as_str());
    let parent = &path[..path.len() - 1];
    let default = match name {
        "APPNAME" => plan.name.to_string(),
        "STACKNAME" => path.join("-"),
        "PARENT" if alias.is_some() => parent.join("-"),
        "PARENT_NETWORK" if alias.is_some() => format!("{}_{}_family", plan.name, parent.join("-")),
        _ => String::new(),
    };
    format!("${{{}_{name}:-{default}}}", plan.swarm.variables)
}

/// The names of the stacks around a stack, and its own.
fn path<'a>(plan: &'a Plan, name: &'a str) -> Vec<&'a str> {
    let around = plan.stacks.iter().find(|stack| stack.stacks.iter().any(|inner| inner == name));
    let mut all = around.map(|around| path(plan, around.name.as_str())).unwrap_or_default();
    all.push(name);
    all
}

/// The network in which a stack meets the stacks in it.
pub fn family(plan: &Plan, stack: &Stack, alias: Alias<'_>) -> String {
    let part = |name| variable(plan, stack, alias, name);
    format!("{}_{}_family", part("APPNAME"), part("STACKNAME"))
}
