//! Resolves the routes of a table.

use std::collections::BTreeMap;

use super::report::Report;
use crate::app::Route;
use crate::config::Step;
use crate::config::tables::RouteTable;
use crate::diagnostic::Code;

/// Returns the valid routes.
pub fn resolve(written: &BTreeMap<String, RouteTable>, report: &mut Report<'_>) -> BTreeMap<String, Route> {
    let mut routes = BTreeMap::new();
    for (path, route) in written {
        let place = [Step::Key("routes"), Step::Key(path)];
        if !path.starts_with('/') {
            report.wrong(Code::InvalidValue, &place, format!("the route `{path}` does not begin with `/`"));
        }
        match (route.port, &route.static_root) {
            (Some(port), None) => drop(routes.insert(path.clone(), Route::Port(port))),
            (None, Some(root)) => drop(routes.insert(path.clone(), Route::StaticRoot(root.clone()))),
            _ => report.wrong(Code::MissingKey, &place, format!("the route `{path}` needs either `port` or `static-root`")),
        }
    }
    routes
}
