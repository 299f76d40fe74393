//! Runs independent tasks on several threads. Results are in task order.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs `work` for every number in `0..tasks` on at most `threads` threads, including the caller's. Every thread first
/// creates its own `state`. The assignment of tasks to threads is not deterministic, so a result must depend only on
/// its task.
///
/// # Panics
/// If a task panics, after all other tasks are done.
pub(crate) fn map<S, T: Send>(
    threads: usize,
    tasks: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(tasks));
    let member = || {
        let mut state = state();
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                break;
            }
            let result = work(&mut state, task);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((task, result));
        }
    };
    std::thread::scope(|scope| {
        // If the system refuses a thread, the other threads do its work.
        let handles: Vec<_> = (1..threads.min(tasks))
            .filter_map(|_| {
                std::thread::Builder::new().name("recurra-linear".to_owned()).spawn_scoped(scope, member).ok()
            })
            .collect();
        member();
        for handle in handles {
            if let Err(payload) = handle.join() {
                resume_unwind(payload);
            }
        }
    });
    let mut results = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(task, _)| *task);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_have_the_order_of_their_tasks() {
        for threads in [1, 2, 7] {
            assert_eq!(
                map(threads, 50, || 0, |_, task| task * task),
                (0..50).map(|task| task * task).collect::<Vec<_>>()
            );
        }
        assert!(map(4, 0, || (), |(), task| task).is_empty());
    }
}
