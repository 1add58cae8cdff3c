//! Packages of Debian and Ubuntu with what crates ask for most, for machines whose apt has no lists of contents.

use super::architecture::Architecture;
use super::sought::Sought;

/// Packages, and what pkg-config calls their libraries.
const PKG_CONFIG: [(&str, &str); 77] = [
    ("libasound2-dev", "alsa"),
    ("libavcodec-dev", "libavcodec"),
    ("libavdevice-dev", "libavdevice"),
    ("libavfilter-dev", "libavfilter"),
    ("libavformat-dev", "libavformat"),
    ("libavutil-dev", "libavutil"),
    ("libbluetooth-dev", "bluez"),
    ("libbpf-dev", "libbpf"),
    ("libcairo2-dev", "cairo cairo-gobject"),
    ("libcamera-dev", "libcamera"),
    ("libcap-dev", "libcap"),
    ("libcurl4-openssl-dev", "libcurl"),
    ("libdbus-1-dev", "dbus-1"),
    ("libdrm-dev", "libdrm"),
    ("libegl-dev", "egl"),
    ("libelf-dev", "libelf"),
    ("libexpat1-dev", "expat"),
    ("libffi-dev", "libffi"),
    ("libfontconfig-dev", "fontconfig"),
    ("libfreetype-dev", "freetype2"),
    ("libgbm-dev", "gbm"),
    ("libgdk-pixbuf-2.0-dev", "gdk-pixbuf-2.0"),
    ("libgit2-dev", "libgit2"),
    ("libglib2.0-dev", "glib-2.0 gobject-2.0 gio-2.0 gio-unix-2.0 gmodule-2.0"),
    ("libgmp-dev", "gmp"),
    ("libgpiod-dev", "libgpiod"),
    (
        "libgstreamer-plugins-base1.0-dev",
        "gstreamer-app-1.0 gstreamer-audio-1.0 gstreamer-pbutils-1.0 gstreamer-plugins-base-1.0 gstreamer-rtp-1.0 gstreamer-sdp-1.0 gstreamer-video-1.0",
    ),
    ("libgstreamer1.0-dev", "gstreamer-1.0 gstreamer-base-1.0 gstreamer-net-1.0"),
    ("libgstrtspserver-1.0-dev", "gstreamer-rtsp-server-1.0"),
    ("libgtk-3-dev", "gtk+-3.0 gdk-3.0"),
    ("libgtk-4-dev", "gtk4"),
    ("libhidapi-dev", "hidapi-hidraw hidapi-libusb"),
    ("libiio-dev", "libiio"),
    ("libjack-jackd2-dev", "jack"),
    ("libkrb5-dev", "krb5 krb5-gssapi"),
    ("liblz4-dev", "liblz4"),
    ("liblzma-dev", "liblzma"),
    ("libmariadb-dev", "libmariadb mariadb"),
    ("libmariadb-dev-compat", "mysqlclient"),
    ("libmnl-dev", "libmnl"),
    ("libmodbus-dev", "libmodbus"),
    ("libmosquitto-dev", "libmosquitto"),
    ("libnftnl-dev", "libnftnl"),
    ("libnice-dev", "nice"),
    ("libnl-3-dev", "libnl-3.0"),
    ("libnl-genl-3-dev", "libnl-genl-3.0"),
    ("libonig-dev", "oniguruma"),
    ("libopencv-dev", "opencv4"),
    ("libopus-dev", "opus"),
    ("libpango1.0-dev", "pango pangocairo"),
    ("libpcap0.8-dev", "libpcap"),
    ("libpipewire-0.3-dev", "libpipewire-0.3"),
    ("libpng-dev", "libpng libpng16"),
    ("libpq-dev", "libpq"),
    ("libpulse-dev", "libpulse libpulse-simple"),
    ("librdkafka-dev", "rdkafka"),
    ("libsasl2-dev", "libsasl2"),
    ("libsdl2-dev", "sdl2"),
    ("libseccomp-dev", "libseccomp"),
    ("libsodium-dev", "libsodium"),
    ("libsqlite3-dev", "sqlite3"),
    ("libssh2-1-dev", "libssh2"),
    ("libssl-dev", "openssl libssl libcrypto"),
    ("libswscale-dev", "libswscale"),
    ("libsystemd-dev", "libsystemd"),
    ("libtss2-dev", "tss2-sys tss2-esys tss2-tctildr tss2-mu tss2-rc"),
    ("libudev-dev", "libudev"),
    ("libunwind-dev", "libunwind"),
    ("liburing-dev", "liburing"),
    ("libusb-1.0-0-dev", "libusb-1.0"),
    ("libv4l-dev", "libv4l2"),
    ("libxml2-dev", "libxml-2.0"),
    ("libzmq3-dev", "libzmq"),
    ("libzstd-dev", "libzstd"),
    ("unixodbc-dev", "odbc"),
    ("uuid-dev", "uuid"),
    ("zlib1g-dev", "zlib"),
];

/// Packages, and what linkers call their libraries.
const LIBRARIES: [(&str, &str); 26] = [
    ("libasound2-dev", "asound"),
    ("libbz2-dev", "bz2"),
    ("libclang-dev", "clang"),
    ("libcurl4-openssl-dev", "curl"),
    ("libdbus-1-dev", "dbus-1"),
    ("libgmp-dev", "gmp"),
    ("liblz4-dev", "lz4"),
    ("liblzma-dev", "lzma"),
    ("libmariadb-dev-compat", "mysqlclient"),
    ("libncurses-dev", "ncurses ncursesw tinfo"),
    ("libpcap0.8-dev", "pcap"),
    ("libpq-dev", "pq"),
    ("libreadline-dev", "readline"),
    ("libsqlite3-dev", "sqlite3"),
    ("libssl-dev", "ssl crypto"),
    ("libsystemd-dev", "systemd"),
    ("libtss2-dev", "tss2-esys tss2-sys"),
    ("libudev-dev", "udev"),
    ("libunwind-dev", "unwind"),
    ("libusb-1.0-0-dev", "usb-1.0"),
    ("libxml2-dev", "xml2"),
    ("libzmq3-dev", "zmq"),
    ("libzstd-dev", "zstd"),
    ("unixodbc-dev", "odbc"),
    ("uuid-dev", "uuid"),
    ("zlib1g-dev", "z"),
];

/// Packages and their programs.
const PROGRAMS: [(&str, &str); 22] = [
    ("autoconf", "autoconf autoreconf"),
    ("automake", "automake aclocal"),
    ("bison", "bison"),
    ("capnproto", "capnp"),
    ("clang", "clang clang++"),
    ("cmake", "cmake"),
    ("flatbuffers-compiler", "flatc"),
    ("flex", "flex"),
    ("g++", "c++ g++"),
    ("gcc", "cc gcc"),
    ("git", "git"),
    ("golang-go", "go"),
    ("libtool", "libtoolize"),
    ("m4", "m4"),
    ("make", "make"),
    ("meson", "meson"),
    ("nasm", "nasm"),
    ("ninja-build", "ninja"),
    ("perl", "perl"),
    ("pkg-config", "pkg-config pkgconf"),
    ("protobuf-compiler", "protoc"),
    ("python3", "python3"),
];

/// Packages and their headers.
const HEADERS: [(&str, &str); 16] = [
    ("libasound2-dev", "alsa/asoundlib.h"),
    ("libbluetooth-dev", "bluetooth/bluetooth.h"),
    ("libbz2-dev", "bzlib.h"),
    ("libcap-dev", "sys/capability.h"),
    ("libcurl4-openssl-dev", "curl/curl.h"),
    ("libdbus-1-dev", "dbus/dbus.h"),
    ("libpcap0.8-dev", "pcap.h pcap/pcap.h"),
    ("libpq-dev", "libpq-fe.h"),
    ("libprotobuf-dev", "google/protobuf/message.h"),
    ("libsqlite3-dev", "sqlite3.h"),
    ("libssl-dev", "openssl/ssl.h openssl/opensslv.h openssl/opensslconf.h"),
    ("libudev-dev", "libudev.h"),
    ("libzmq3-dev", "zmq.h"),
    ("libzstd-dev", "zstd.h"),
    ("linux-libc-dev", "linux/types.h"),
    ("zlib1g-dev", "zlib.h"),
];

/// The package that has it in Debian 12 and later, and in Ubuntu 22.04 and later.
pub fn package(sought: Sought<'_>) -> Option<String> {
    let (packages, name): (&[_], _) = match sought {
        Sought::PkgConfig(name) => (&PKG_CONFIG, name),
        Sought::Library(name) => (&LIBRARIES, name),
        Sought::Program(name) => (&PROGRAMS, name),
        Sought::Header(name) => (&HEADERS, name),
    };
    let common =
        packages.iter().find(|(_, names)| names.split(' ').any(|of| of == name)).map(|(package, _)| (*package).to_owned());
    common.or_else(|| if matches!(sought, Sought::Program(_)) { of_tool(name) } else { None })
}

/// The package of a tool for another architecture, such as `aarch64-linux-gnu-g++`, or for musl.
fn of_tool(name: &str) -> Option<String> {
    if name == "musl-gcc" {
        return Some("musl-tools".into());
    }
    let (tools, tool) = name.rsplit_once('-')?;
    let architecture = Architecture::of_tools(&tools.replace("musl", "gnu"))?;
    let packaged = architecture.tools.replace('_', "-");
    match tool {
        "gcc" if tools.contains("musl") => Some(format!("musl-dev:{}", architecture.name)),
        _ if tools.contains("musl") => None,
        "gcc" | "g++" => Some(format!("{tool}-{packaged}")),
        "ar" | "as" | "ld" | "nm" | "objcopy" | "ranlib" | "strip" => Some(format!("binutils-{packaged}")),
        _ => None,
    }
}
