//! Measures the limits of this machine, and the time and work of each kernel. Writes JSON to standard output.
//!
//! `cargo bench -p recurra-kernels --features phases --bench roofline [-- peak|memory|kernels|wide]`, with `RECURRA_ISA` for another
//! instruction set than the best; `npm run bench -- roofline` makes the table.

mod chains;
mod clock;
#[path = "../common/mod.rs"]
mod common;
mod memory;
mod networks;
mod peak;
mod simd;
mod team;
mod work;

use recurra_kernels::simd::isa;
use serde_json::{Value, json};

/// Whether the command line selects a part: its filters are the arguments that are not options.
fn wanted(name: &str) -> bool {
    let mut filters = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    filters.peek().is_none() || filters.any(|filter| filter == name)
}

fn main() {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if all > 1 { vec![1, all] } else { vec![1] };
    let mut out = json!({ "isa": isa().name(), "threads": all });
    if wanted("peak") {
        out["peaks"] = threads.iter().map(|&threads| peak::measure(isa(), threads, 0.5)).collect();
    }
    if wanted("memory") {
        let rates: Vec<Value> = threads.iter().flat_map(|&threads| memory::measure(isa(), threads, 0.3)).collect();
        out["memory"] = rates.into();
    }
    let mut rows = Vec::new();
    if wanted("kernels") {
        rows.extend(networks::measure(&threads, 0.8));
        rows.extend(chains::measure(0.3));
    }
    if wanted("wide") {
        rows.extend(networks::wide(all, 1.0));
    }
    out["kernels"] = rows.into();
    println!("{}", serde_json::to_string_pretty(&out).expect("plain values"));
}
