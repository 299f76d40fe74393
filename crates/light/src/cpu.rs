//! Capabilities of the processor, for `recurra doctor`.

use napi_derive::napi;

/// The processor, as seen by this process.
#[napi(object)]
pub struct CpuInfo {
    /// Architecture as Rust names it, such as `x86_64`.
    pub arch: String,
    /// Detected vector extensions that the kernels use.
    pub features: Vec<String>,
    /// Logical processors that this process may use.
    pub logical_processors: u32,
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    let mut found = Vec::new();
    macro_rules! detect {
        ($($name:tt),*) => { $(if std::arch::is_x86_feature_detected!($name) { found.push($name); })* };
    }
    detect!("sse4.2", "avx", "fma", "avx2", "avx512f", "avx512bw", "avx512vl");
    found
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    if std::arch::is_aarch64_feature_detected!("neon") { vec!["neon"] } else { Vec::new() }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<&'static str> {
    Vec::new()
}

/// Describes the processor.
#[napi(catch_unwind)]
pub fn cpu_info() -> CpuInfo {
    CpuInfo {
        arch: std::env::consts::ARCH.to_owned(),
        features: features().into_iter().map(str::to_owned).collect(),
        logical_processors: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
    }
}
