//! `cargo appbundle`: see the library.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(cargo_appbundle::cli::run(std::env::args_os()))
}
