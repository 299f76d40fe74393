//! Runs the same measurement on several threads at once.

use std::sync::Barrier;
use std::time::Instant;

/// Runs `work` on `threads` threads, which start together. `work` receives the thread's number.
pub fn on<R: Send>(threads: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        let (start, work) = (&start, &work);
        let one = move |number| {
            start.wait();
            work(number)
        };
        let all: Vec<_> = (0..threads).map(|number| scope.spawn(move || one(number))).collect();
        all.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// The highest rate per second of `work`, which returns the amount of work it did. Disturbances only make it slower.
pub fn best(seconds: f64, mut work: impl FnMut() -> f64) -> f64 {
    let (begin, mut best) = (Instant::now(), 0.0f64);
    while begin.elapsed().as_secs_f64() < seconds {
        let start = Instant::now();
        let done = work();
        best = best.max(done / start.elapsed().as_secs_f64());
    }
    best
}
