//! Rebuilds the crate if the folder of the macros' type definitions changes or its file there is missing.

fn main() {
    println!("cargo::rerun-if-env-changed=NAPI_TYPE_DEF_TMP_FOLDER");
    println!("cargo::rerun-if-env-changed=NAPI_FORCE_BUILD_RECURRA_BINDING");
}
