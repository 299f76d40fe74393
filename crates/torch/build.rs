//! Compiles the C++ shim against the headers of the libtorch that torch-sys links.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=shim");
    println!("cargo:rerun-if-env-changed=LIBTORCH_CXX11_ABI");

    // torch-sys (`links = "tch"`) publishes its library folder; the headers lie beside it in every layout it accepts.
    let lib = env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys did not say where libtorch is (DEP_TCH_LIBTORCH_LIB)");
    let root = env::var("LIBTORCH_INCLUDE").map_or_else(
        |_| PathBuf::from(&lib).parent().expect("libtorch's lib folder has no parent").to_path_buf(),
        PathBuf::from,
    );
    let include = root.join("include");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());

    let mut build = cc::Build::new();
    build
        .cpp(true)
        .pic(true)
        // Debug information of libtorch's templates would be twenty times the code.
        .debug(false)
        .warnings(false)
        .std("c++17")
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .define("_GLIBCXX_USE_CXX11_ABI", abi.as_str())
        .files([
            "shim/shim.cpp",
            "shim/autocast.cpp",
            "shim/count.cpp",
            "shim/cuda.cpp",
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
