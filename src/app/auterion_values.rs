//! Rules for the values in `auterion-app.yml` (`docs/file-format.md`, section 4.1), except names and images. The same rules check the
//! files that are written and the files that are read.

mod shape;

use serde_json::{Map, Value};

use crate::mender::Faults;

use Shape::{Any, Count, Fields, Flag, List, Number, OneOf, OneOrMore, Text, TextOr};
use shape::{Shape, each};

const SUBSCRIPTIONS: Shape =
    Shape::Map(&TextOr(&Fields(&[("type", true, Text), ("max_rate_hz", false, Number), ("dds_name_prefix", false, Text)])));

const WHEN: Shape = Fields(&[(
    "when",
    true,
    List(&Fields(&[
        ("condition", true, OneOf(&["always", "never", "default", "while-armed", "while-disarmed"])),
        ("subscriptions", true, SUBSCRIPTIONS),
    ])),
)]);

const TYPES: [&str; 9] = ["bool", "int64", "float64", "string", "byte[]", "bool[]", "int64[]", "float64[]", "string[]"];

const PARAMETER: Shape = Fields(&[
    ("name", true, Text),
    ("default", true, Any),
    ("type", true, OneOf(&TYPES)),
    ("description", true, Fields(&[("short", true, Text), ("long", false, Text)])),
    ("volatile", false, Flag),
    ("decimal", false, Count),
    ("increment", false, Number),
    ("unit", false, Text),
    ("min", false, Number),
    ("max", false, Number),
    ("enum_values", false, Any),
    ("readonly", false, Flag),
    ("visibility", false, OneOf(&["visible", "advanced", "hidden"])),
    ("reset_on_update", false, Flag),
]);

const TOP: [(&str, Shape); 6] = [
    ("system-app", Flag),
    ("dependencies", Shape::Map(&Text)),
    (
        "logging",
        Fields(&[
            ("msg-paths", false, OneOrMore(&Text)),
            ("subscriptions", false, SUBSCRIPTIONS),
            ("profiles", false, Fields(&[("default", false, WHEN), ("verbose", false, WHEN)])),
        ]),
    ),
    ("mission-executor", Flag),
    ("parameters", List(&PARAMETER)),
    ("suite-id", Fields(&[("release", true, Count), ("pre-release", false, Count), ("pull-request", false, Count)])),
];

/// The API versions since which a service has keys.
const SINCE: [(&str, u8); 5] = [("http", 2), ("ssh", 2), ("build-args", 3), ("networking", 5), ("mountsets", 7)];

const SERVICE: [(&str, Shape); 5] = [
    (
        "http",
        Shape::Map(&Fields(&[
            ("static-root", false, Text),
            ("proxy", false, Fields(&[("port", true, Count)])),
            ("function", false, OneOrMore(&Any)),
        ])),
    ),
    ("ssh", Flag),
    ("build-args", Shape::Map(&Text)),
    ("networking", Any),
    ("mountsets", OneOrMore(&Text)),
];

/// Lists the faults in the top-level values.
pub fn check(file: &Map<String, Value>, faults: &mut Faults) {
    each(file, &TOP, "", faults);
    for parameter in file.get("parameters").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
        check_parameter(parameter, faults);
    }
    let Some(over) = file.get("compose-override").and_then(Value::as_object) else { return };
    for key in over.keys() {
        if !["services", "networks", "volumes", "secrets", "configs"].contains(&key.as_str()) && !key.starts_with("x-") {
            faults.add(format!("`compose-override.{}` is not known", key.escape_debug()));
        }
    }
}

/// Lists the faults in a service's values.
pub fn check_service(name: &str, service: &Map<String, Value>, faults: &mut Faults) {
    let place = format!("service `{name}`: ");
    each(service, &SERVICE, &place, faults);
    for (path, route) in service.get("http").and_then(Value::as_object).into_iter().flatten() {
        let path = path.escape_debug();
        if route.get("static-root").is_some() == route.get("proxy").is_some() {
            faults.add(format!("{place}`http.{path}` must have exactly one of `static-root` and `proxy`"));
        }
        let functions = route.get("function").map(|one| one.as_array().map_or(std::slice::from_ref(one), Vec::as_slice));
        for function in functions.unwrap_or_default() {
            let of_page = function.get("type").is_some_and(|kind| kind == "ui");
            if !function.is_object() || of_page && !function.get("label").is_some_and(Value::is_string) {
                faults.add(format!("{place}a `function` of `http.{path}` is not a map, or is of type `ui` and has no `label`"));
            }
        }
    }
    if let Some(networking) = service.get("networking")
        && !networking.get("subnet").is_some_and(Value::is_string)
    {
        faults.add(format!("{place}`networking` has no `subnet`"));
    }
}

/// The API version that a key of a service needs; `None` if every one has it.
pub fn service_key_since(key: &str) -> Option<u8> {
    SINCE.iter().find(|(known, _)| *known == key).map(|(_, since)| *since)
}

fn check_parameter(parameter: &Map<String, Value>, faults: &mut Faults) {
    let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
    let (name, kind) = (text("name"), text("type"));
    if !TYPES.contains(&kind) {
        return;
    }
    let place = format!("parameter `{}`: ", name.escape_debug());
    let scalar = kind.trim_end_matches("[]");
    let one = |value: &Value| match scalar {
        "bool" => value.is_boolean(),
        "int64" => value.is_i64(),
        "byte" => value.as_u64().is_some_and(|number| number <= 255),
        "float64" => value.is_number(),
        _ => value.is_string(),
    };
    let fits = |value: &Value| match value.as_array() {
        Some(list) => scalar != kind && list.iter().all(one),
        None => scalar == kind && one(value),
    };
    if parameter.get("default").is_some_and(|value| !fits(value)) {
        faults.add(format!("{place}`default` is not of type {kind}"));
    }
    let only = [
        ("decimal", &["float64"][..]),
        ("increment", &["float64"]),
        ("min", &["float64", "int64"]),
        ("max", &["float64", "int64"]),
        ("enum_values", &["int64"]),
    ];
    for (key, kinds) in only {
        if parameter.contains_key(key) && !kinds.contains(&kind) {
            faults.add(format!("{place}`{key}` does not apply to the type {kind}"));
        }
    }
    let (increment, decimal) =
        (parameter.get("increment").and_then(Value::as_f64), parameter.get("decimal").and_then(Value::as_u64));
    if let (Some(increment), Some(decimal)) = (increment, decimal) {
        // 0.1 is not exactly 10 to the -1: a finer step is one that is clearly below it.
        let finest = 10f64.powi(-i32::try_from(decimal).unwrap_or(i32::MAX));
        if increment < finest * (1.0 - 1e-9) {
            faults.add(format!("{place}`increment` {increment} is finer than {decimal} decimals"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let file: Map<String, Value> = serde_saphyr::from_str(text).expect("YAML");
        let mut faults = Faults::default();
        check(&file, &mut faults);
        for (name, service) in file.get("services").and_then(Value::as_object).into_iter().flatten() {
            check_service(name, service.as_object().expect("a map"), &mut faults);
        }
        faults.into_vec()
    }

    #[test]
    fn values_that_are_right_are_no_faults() {
        let text = r#"
system-app: true
dependencies: { com.example.other: "1.0" }
logging:
  msg-paths: [a/msg, b/msg]
  subscriptions: { /a: pkg/Type, /b: { type: pkg/Other, max_rate_hz: 2.5 } }
  profiles: { default: { when: [{ condition: while-armed, subscriptions: { /c: pkg/Third } }] } }
mission-executor: false
parameters:
  - { name: gain, type: float64, default: 0.5, description: { short: Gain }, decimal: 1, increment: 0.1, min: 0, max: 1 }
  - { name: modes, type: "int64[]", default: [1, -2], description: { short: Modes, long: All }, visibility: advanced }
  - { name: mode, type: int64, default: 1, description: { short: Mode }, enum_values: { 1: one } }
  - { name: raw, type: "byte[]", default: [0, 255], description: { short: Raw }, reset_on_update: true }
suite-id: { release: 3, pull-request: 12 }
compose-override: { services: {}, x-more: 1 }
services:
  a:
    http: { /ui: { static-root: web, function: { type: ui, label: Photos } }, /api: { proxy: { port: 80 }, function: [{ type: camera }, { type: new, x: 1 }] } }
    ssh: true
    build-args: { A: "1" }
    networking: { subnet: 10.0.0.0/24, externalIP: 10.0.0.2 }
    mountsets: [media, logs]
"#;
        assert_eq!(faults(text), [""; 0]);
    }

    #[test]
    fn each_value_that_is_wrong_is_named() {
        let parameter = |fields: &str| format!("parameters: [{{ name: p, description: {{ short: s }}, {fields} }}]");
        let cases = [
            ("system-app: 1", "`system-app` is not true or false"),
            ("dependencies: { a: 1.0 }", "`a` of `dependencies` is not a string"),
            ("logging: { msg-paths: [1] }", "`msg-paths` of `logging` is not a string"),
            ("logging: { rate: 1 }", "`rate` of `logging` is not known"),
            ("logging: { subscriptions: { /a: { max_rate_hz: 1 } } }", "has no `type`"),
            ("logging: { profiles: { default: { when: [{ condition: soon, subscriptions: {} }] } } }", "is not one of always,"),
            ("parameters: {}", "`parameters` is not a list"),
            ("parameters: [{ name: p }]", "an item of `parameters` has no `type`"),
            (&parameter("type: int64, default: 1.5"), "`default` is not of type int64"),
            (&parameter("type: int64, default: [1]"), "`default` is not of type int64"),
            (&parameter("type: 'bool[]', default: true"), "`default` is not of type bool[]"),
            (&parameter("type: 'byte[]', default: [256]"), "`default` is not of type byte[]"),
            (&parameter("type: int8, default: 1"), "is not one of bool,"),
            (&parameter("type: string, default: a, min: 1"), "`min` does not apply to the type string"),
            (&parameter("type: float64, default: 1, enum_values: { 1: a }"), "`enum_values` does not apply to the type float64"),
            (&parameter("type: float64, default: 1, decimal: 2, increment: 0.001"), "finer than 2 decimals"),
            ("suite-id: { pre-release: 1 }", "`suite-id` has no `release`"),
            ("suite-id: { release: -1 }", "`release` of `suite-id` is not a non-negative integer"),
            ("compose-override: { version: 3 }", "`compose-override.version` is not known"),
            ("services: { a: { http: { /x: {} } } }", "must have exactly one of"),
            (
                "services: { a: { http: { /x: { proxy: { port: a } } } } }",
                "`port` of `proxy` of `/x` of service `a`: `http` is not",
            ),
            ("services: { a: { http: { /x: { static-root: w, function: { type: ui } } } } }", "has no `label`"),
            ("services: { a: { ssh: yes please } }", "`ssh` is not true or false"),
            ("services: { a: { build-args: { A: 1 } } }", "`A` of service `a`: `build-args` is not a string"),
            ("services: { a: { networking: {} } }", "`networking` has no `subnet`"),
            ("services: { a: { mountsets: [1] } }", "`mountsets` is not a string"),
        ];
        for (text, says) in cases {
            let faults = faults(text);
            assert!(faults.iter().any(|fault| fault.contains(says)), "{text}: {faults:?}");
        }
    }
}
