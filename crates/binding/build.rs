//! Compiles the crate again where the folder for the macros' type definitions changed, or its file there is gone.

fn main() {
    println!("cargo::rerun-if-env-changed=NAPI_TYPE_DEF_TMP_FOLDER");
    println!("cargo::rerun-if-env-changed=NAPI_FORCE_BUILD_RECURRA_BINDING");
}
