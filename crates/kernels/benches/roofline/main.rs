//! What this machine can do, and how much of it each kernel reaches. Writes JSON to standard output.
//!
//! `cargo bench -p recurra-kernels --bench roofline [-- peak|memory|kernels]`; `npm run bench -- roofline` makes the table.

mod clock;
mod peak;

use recurra_kernels::simd::Isa;
use serde_json::json;

/// Whether the command line asks for a part: its filters are the words that are no option.
fn wanted(name: &str) -> bool {
    let mut filters = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    filters.peek().is_none() || filters.any(|filter| filter == name)
}

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut out = json!({ "threads": threads });
    if wanted("peak") {
        let sizes = if threads > 1 { vec![1, threads] } else { vec![1] };
        let sets = Isa::all_available();
        out["peaks"] =
            sets.iter().flat_map(|&isa| sizes.iter().map(move |&threads| peak::measure(isa, threads, 0.5))).collect();
    }
    println!("{}", serde_json::to_string_pretty(&out).expect("plain values"));
}
