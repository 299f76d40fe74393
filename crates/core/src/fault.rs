//! Fault injection for tests: panics in the kernels, in a team's thread or in a task, and exceptions in the C++ shim
//! must not crash the process.
//!
//! `RECURRA_FAULT=team` makes the first pass of the point `team` fail, `team:3` the third. Several faults are separated
//! by commas, and each fires once. The variable is read once; if it is not set, a pass costs one load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

struct Fault {
    place: String,
    /// Passes left until the fault fires; 0 once it has fired.
    left: AtomicU32,
}

static FAULTS: OnceLock<Vec<Fault>> = OnceLock::new();

fn parse(text: &str) -> Vec<Fault> {
    let one = |item: &str| {
        let (place, count) = item.split_once(':').unwrap_or((item, "1"));
        Some(Fault { place: place.to_owned(), left: AtomicU32::new(count.parse().ok()?) })
    };
    text.split(',').filter_map(|item| one(item.trim())).collect()
}

fn fires_in(faults: &[Fault], place: &str) -> bool {
    let passed = |left: u32| left.checked_sub(1);
    let fires = |fault: &&Fault| {
        fault.place == place && fault.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, passed) == Ok(1)
    };
    faults.iter().any(|fault| fires(&fault))
}

/// Whether this pass of the point should fail.
pub fn fires(place: &str) -> bool {
    let faults = FAULTS.get_or_init(|| std::env::var("RECURRA_FAULT").map_or_else(|_| Vec::new(), |text| parse(&text)));
    !faults.is_empty() && fires_in(faults, place)
}

/// Panics if this pass of the point should fail.
#[inline]
pub fn point(place: &str) {
    assert!(!fires(place), "fault on purpose at {place}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_fires_once_at_its_passage() {
        let faults = parse("a:2, b,c:x");
        let fired = |place: &str| (0..4).map(|_| fires_in(&faults, place)).collect::<Vec<_>>();
        assert_eq!(fired("a"), [false, true, false, false]);
        assert_eq!(fired("b"), [true, false, false, false]);
        assert_eq!(fired("c"), [false; 4]);
        assert_eq!(fired("d"), [false; 4]);
    }
}
