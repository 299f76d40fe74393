//! Link settings of the addon.

fn main() {
    napi_build::setup();
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // A library with thread-locals must not be unloaded when a worker thread ends.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // The debug information of libtorch's headers alone would make the addon forty times as large.
        println!("cargo:rustc-cdylib-link-arg=-Wl,--strip-all");
    }
}
