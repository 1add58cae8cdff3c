//! {{ name }}: a service that runs once and exits.

fn main() {
    let name = std::env::args().nth(1);
    println!("{}", greeting(name.as_deref()));
}

fn greeting(name: Option<&str>) -> String {
    format!("Hello, {}, from {{ name }}", name.unwrap_or("world"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_greets() {
        assert_eq!(greeting(Some("you")), "Hello, you, from {{ name }}");
    }
}
