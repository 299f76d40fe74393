//! Link settings of the addon.

fn main() {
    napi_build::setup();
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // A library with thread-locals must not be unloaded when a worker thread ends.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // Without stripping, debug information makes the addon many times larger.
        println!("cargo:rustc-cdylib-link-arg=-Wl,--strip-all");
    }
}
