//! Asks a server at 127.0.0.1 whether it is healthy: `healthprobe PORT PATH` ends with 0 if the answer to `GET PATH` is 2xx,
//! `healthprobe PORT grpc` if gRPC's health service answers SERVING. With the port alone, a connection is enough. It needs no library,
//! so that every image can run it.
#![no_std]
#![no_builtins]
#![no_main]

mod grpc;

use core::arch::{asm, global_asm};

/// The system calls, by architecture.
#[cfg(target_arch = "x86_64")]
mod sys {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const SOCKET: usize = 41;
    pub const CONNECT: usize = 42;
    pub const EXIT: usize = 60;
}
#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
mod sys {
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const SOCKET: usize = 198;
    pub const CONNECT: usize = 203;
    pub const EXIT: usize = 93;
}
#[cfg(target_arch = "arm")]
mod sys {
    pub const READ: usize = 3;
    pub const WRITE: usize = 4;
    pub const SOCKET: usize = 281;
    pub const CONNECT: usize = 283;
    pub const EXIT: usize = 1;
}

// The kernel starts a program with an aligned stack, on which the arguments are.
#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "mov rdi, rsp", "call {main}", main = sym main);
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x0, sp", "bl {main}", main = sym main);
#[cfg(target_arch = "arm")]
global_asm!(".globl _start", "_start:", "mov r0, sp", "bl {main}", main = sym main);
#[cfg(target_arch = "riscv64")]
global_asm!(".globl _start", "_start:", "mv a0, sp", "call {main}", main = sym main);

unsafe fn call(number: usize, a: usize, b: usize, c: usize) -> isize {
    let result: isize;
    #[cfg(target_arch = "x86_64")]
    asm!("syscall", inlateout("rax") number => result, in("rdi") a, in("rsi") b, in("rdx") c, out("rcx") _, out("r11") _);
    #[cfg(target_arch = "aarch64")]
    asm!("svc #0", in("x8") number, inlateout("x0") a => result, in("x1") b, in("x2") c);
    // r7 may be the frame pointer, which cannot be named.
    #[cfg(target_arch = "arm")]
    asm!("mov {kept}, r7", "mov r7, {number}", "svc #0", "mov r7, {kept}", kept = out(reg) _, number = in(reg) number,
        inlateout("r0") a => result, in("r1") b, in("r2") c);
    #[cfg(target_arch = "riscv64")]
    asm!("ecall", in("a7") number, inlateout("a0") a => result, in("a1") b, in("a2") c);
    result
}

fn exit(code: usize) -> ! {
    unsafe { call(sys::EXIT, code, 0, 0) };
    loop {}
}

/// Ends with 1 and these words, which the engine keeps as the check's output.
fn fail(words: &[u8]) -> ! {
    write(2, words);
    exit(1)
}

fn write(to: usize, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let written = unsafe { call(sys::WRITE, to, bytes.as_ptr() as usize, bytes.len()) };
        match usize::try_from(written).ok().and_then(|written| bytes.get(written..)) {
            Some(rest) if written > 0 => bytes = rest,
            _ => return false,
        }
    }
    true
}

unsafe fn text<'a>(start: *const u8) -> &'a [u8] {
    let mut length = 0;
    while *start.add(length) != 0 {
        length += 1;
    }
    core::slice::from_raw_parts(start, length)
}

unsafe extern "C" fn main(stack: *const usize) -> ! {
    let (count, words) = (*stack, stack.add(1).cast::<*const u8>());
    if count < 2 {
        fail(b"usage: healthprobe PORT [PATH | grpc]\n");
    }
    let port = text(*words.add(1)).iter().fold(0_u16, |port, digit| port.wrapping_mul(10).wrapping_add(u16::from(digit.wrapping_sub(b'0'))));
    // AF_INET, the port and 127.0.0.1 in the order of the network.
    let [high, low] = port.to_be_bytes();
    let [first, second] = 2_u16.to_ne_bytes();
    let address = [first, second, high, low, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let Ok(socket) = usize::try_from(call(sys::SOCKET, 2, 1, 0)) else { fail(b"no socket\n") };
    if call(sys::CONNECT, socket, address.as_ptr() as usize, address.len()) < 0 {
        fail(b"no connection\n");
    }
    if count < 3 {
        exit(0);
    }
    if text(*words.add(2)) == b"grpc" {
        ask_grpc(socket);
    }
    // In one piece: a server may answer and close after the first one.
    let mut request = [0_u8; 2048];
    let mut length = 0;
    for part in [
        b"GET ",
        text(*words.add(2)),
        b" HTTP/1.1\r\nHost: localhost\r\nUser-Agent: healthprobe\r\nConnection: close\r\n\r\n",
    ] {
        for byte in part {
            match request.get_mut(length) {
                Some(place) => *place = *byte,
                None => fail(b"the path is too long\n"),
            }
            length += 1;
        }
    }
    if !request.get(..length).is_some_and(|request| write(socket, request)) {
        fail(b"the connection was closed\n");
    }
    // `HTTP/1.1 200`
    let mut head = [0_u8; 12];
    let mut length = 0;
    while length < head.len() {
        match call(sys::READ, socket, head.as_mut_ptr().add(length) as usize, head.len() - length) {
            read if read > 0 => length += read as usize,
            _ => fail(b"the connection was closed\n"),
        }
    }
    if &head[..7] == b"HTTP/1." && head[8] == b' ' && head[9] == b'2' {
        exit(0);
    }
    write(2, &head);
    fail(b"\n")
}

unsafe fn ask_grpc(socket: usize) -> ! {
    let mut asked = write(socket, grpc::REQUEST);
    let mut answer = grpc::Answer::default();
    let mut bytes = [0_u8; 512];
    while asked {
        let read = match call(sys::READ, socket, bytes.as_mut_ptr() as usize, bytes.len()) {
            read if read > 0 => bytes.get(..read as usize).unwrap_or_default(),
            _ => break,
        };
        for byte in read {
            match answer.take(*byte) {
                grpc::Next::Read => {}
                grpc::Next::Acknowledge => asked = write(socket, grpc::SETTINGS_ACK),
                grpc::Next::Serving => exit(0),
                grpc::Next::Failed(why) => {
                    write(2, why.as_bytes());
                    fail(b"\n")
                }
            }
        }
    }
    fail(b"the connection was closed\n")
}

#[no_mangle]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    let mut at = 0;
    while at < length { core::ptr::write_volatile(to.add(at), *from.add(at)); at += 1; }
    to
}
#[no_mangle]
unsafe extern "C" fn memset(to: *mut u8, value: i32, length: usize) -> *mut u8 {
    let mut at = 0;
    while at < length { core::ptr::write_volatile(to.add(at), value as u8); at += 1; }
    to
}
#[no_mangle]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
    let mut at = 0;
    while at < length {
        let (left, right) = (core::ptr::read_volatile(a.add(at)), core::ptr::read_volatile(b.add(at)));
        if left != right { return i32::from(left) - i32::from(right); }
        at += 1;
    }
    0
}
#[no_mangle]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, length: usize) -> i32 { memcmp(a, b, length) }

/// Core is compiled for unwinding and names this, wherever something of it comes in that could panic.
#[no_mangle]
extern "C" fn rust_eh_personality() {}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(1)
}
