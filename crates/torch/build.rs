//! Compiles the C++ shim against the headers of the libtorch that torch-sys links.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

#[allow(dead_code, reason = "only the layouts are needed here")]
#[path = "src/shim/abi.rs"]
mod abi;

/// The C++ type of a field that is not a pointer.
fn plain_type(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "f64" => "double",
        "c_int" => "int",
        "i32" => "int32_t",
        "i64" => "int64_t",
        "u64" => "uint64_t",
        "usize" => "size_t",
        _ => return None,
    })
}

/// C++ that compiles only where the structs and numbers of `shim/abi.h` are those of `src/shim/abi.rs`.
fn checks() -> String {
    let mut text = String::from("// Written by build.rs from src/shim/abi.rs.\n");
    for abi::Layout { name, size, fields } in abi::LAYOUTS {
        let _ = writeln!(text, "static_assert(sizeof({name}) == {size}, \"size of {name}\");");
        for abi::Field { name: field, kind, offset } in *fields {
            let _ =
                writeln!(text, "static_assert(offsetof({name}, {field}) == {offset}, \"place of {name}::{field}\");");
            let is_kind = plain_type(kind).map_or_else(
                || format!("std::is_pointer_v<decltype({name}::{field})>"),
                |plain| format!("std::is_same_v<decltype({name}::{field}), {plain}>"),
            );
            let _ = writeln!(text, "static_assert({is_kind}, \"type of {name}::{field}\");");
        }
        // A field that is only there in C++ may hide in padding: this takes the struct apart into as many as there are in Rust.
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        let _ = writeln!(
            text,
            "inline void fields_of(const {name} &all) {{ [[maybe_unused]] const auto &[{}] = all; }}",
            names.join(", ")
        );
    }
    for (list, numbers) in [("Operation", abi::OPERATIONS), ("FaultPlace", abi::FAULT_PLACES)] {
        for (name, number) in numbers {
            let _ = writeln!(text, "static_assert(static_cast<int>({list}::{name}) == {number}, \"{list}::{name}\");");
        }
    }
    text
}

fn main() {
    println!("cargo:rerun-if-changed=shim");
    println!("cargo:rerun-if-changed=src/shim/abi.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH_CXX11_ABI");

    // torch-sys (`links = "tch"`) publishes its library folder; the headers are next to it in every layout it accepts.
    let lib = env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys did not say where libtorch is (DEP_TCH_LIBTORCH_LIB)");
    let root = env::var("LIBTORCH_INCLUDE").map_or_else(
        |_| PathBuf::from(&lib).parent().expect("libtorch's lib folder has no parent").to_path_buf(),
        PathBuf::from,
    );
    let include = root.join("include");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());

    let out = env::var("OUT_DIR").expect("cargo did not say where to write (OUT_DIR)");
    fs::write(Path::new(&out).join("abi_checks.h"), checks()).expect("the shim's checks could not be written");

    let mut build = cc::Build::new();
    build
        .cpp(true)
        .pic(true)
        // Debug information of libtorch's templates would be twenty times the code.
        .debug(false)
        .warnings(false)
        .std("c++17")
        .include(&out)
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        // For the headers in shim/gloo.
        .include("shim")
        .define("_GLIBCXX_USE_CXX11_ABI", abi.as_str())
        .files([
            "shim/shim.cpp",
            "shim/autocast.cpp",
            "shim/c10d.cpp",
            "shim/count.cpp",
            "shim/cuda.cpp",
            "shim/hooks.cpp",
            "shim/random.cpp",
            "shim/optim.cpp",
            "shim/scalar.cpp",
            "shim/recurrent.cpp",
            "shim/rows.cpp",
            "shim/small.cpp",
        ]);
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("windows") {
        build.flag("/EHsc");
    }
    build.compile("recurra_shim");
}
