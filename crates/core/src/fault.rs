//! Faults on purpose, so that tests can see that none reaches the process: a panic of the kernels, of a team's thread or of
//! a task, an exception of the C++ shim.
//!
//! `RECURRA_FAULT=team` makes the first passage of the place `team` fail, `team:3` the third; several are separated by
//! commas. Each fails once. It is read once, and where it is not set a passage costs one load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

struct Fault {
    place: String,
    /// Passages until it fires; 0 once it has.
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

/// Whether the passage of this place should fail.
pub fn fires(place: &str) -> bool {
    let faults = FAULTS.get_or_init(|| std::env::var("RECURRA_FAULT").map_or_else(|_| Vec::new(), |text| parse(&text)));
    !faults.is_empty() && fires_in(faults, place)
}

/// Panics where the passage of this place should fail.
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
