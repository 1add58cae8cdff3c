//! `cargo appbundle`: see the library.

/// A static executable loads what `/etc/nsswitch.conf` names, such as `mdns4_minimal`, to look names up; modules of another glibc than
/// its own make it crash. `files` and `dns` are a part of it.
#[cfg(all(target_os = "linux", target_env = "gnu", target_feature = "crt-static"))]
#[allow(unsafe_code, reason = "there is no other way to tell glibc")]
fn look_names_up_alone() {
    use std::ffi::{CStr, c_char, c_int};
    unsafe extern "C" {
        fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
    }
    let configure = |database: &CStr, services: &CStr| {
        // SAFETY: both are strings of C, which glibc only reads, and no other thread looks names up yet.
        unsafe { __nss_configure_lookup(database.as_ptr(), services.as_ptr()) }
    };
    configure(c"hosts", c"files dns");
    configure(c"passwd", c"files");
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_feature = "crt-static")))]
fn look_names_up_alone() {}

fn main() -> std::process::ExitCode {
    look_names_up_alone();
    std::process::ExitCode::from(cargo_appbundle::cli::run(std::env::args_os()))
}
