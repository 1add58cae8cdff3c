//! Launch order.

use std::collections::BTreeMap;

/// Sorts so that everything comes after what it depends on, otherwise by name. `edges` holds for each name the names that it
/// depends on; names that are no key are ignored.
///
/// # Errors
/// A cycle, as the names along it; the first one stands again at the end.
pub fn sort(edges: &BTreeMap<String, Vec<String>>) -> Result<Vec<String>, Vec<String>> {
    let mut done: Vec<String> = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    for name in edges.keys() {
        visit(name, edges, &mut path, &mut done)?;
    }
    Ok(done)
}

fn visit<'a>(
    name: &'a str,
    edges: &'a BTreeMap<String, Vec<String>>,
    path: &mut Vec<&'a str>,
    done: &mut Vec<String>,
) -> Result<(), Vec<String>> {
    if done.iter().any(|other| other == name) {
        return Ok(());
    }
    if let Some(start) = path.iter().position(|other| *other == name) {
        return Err(path[start..].iter().chain([&name]).map(|name| (*name).to_owned()).collect());
    }
    let Some(before) = edges.get(name) else { return Ok(()) };
    path.push(name);
    for other in before {
        visit(other, edges, path, done)?;
    }
    path.pop();
    done.push(name.to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(list: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        list.iter().map(|(name, before)| ((*name).into(), before.iter().map(|b| (*b).into()).collect())).collect()
    }

    #[test]
    fn what_is_needed_comes_first() {
        let sorted = sort(&edges(&[("a", &["c", "b"]), ("b", &["c"]), ("c", &[]), ("d", &["x"])]));
        assert_eq!(sorted, Ok(vec!["c".into(), "b".into(), "a".into(), "d".into()]));
    }

    #[test]
    fn a_cycle_is_shown() {
        let cycle = sort(&edges(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]));
        assert_eq!(cycle, Err(vec!["b".into(), "c".into(), "b".into()]));
        assert_eq!(sort(&edges(&[("a", &["a"])])), Err(vec!["a".into(), "a".into()]));
    }
}
