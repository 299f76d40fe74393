//! The team.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;

use super::Member;
use super::barrier::Barrier;
use recurra_core::fault;

type Job = &'static (dyn Fn(usize) + Sync);

struct Workers {
    jobs: Vec<Sender<Job>>,
    done: Receiver<()>,
    threads: Vec<JoinHandle<()>>,
    barrier: Arc<Barrier>,
}

/// A team of a fixed number of threads; the caller of [`Pool::run`] is one of them.
pub struct Pool {
    size: usize,
    workers: Option<Mutex<Workers>>,
}

impl Pool {
    /// A team of `size` members (0 counts as 1). Threads are started here and end when the team is dropped; where the
    /// system refuses one, the team is smaller.
    pub fn new(size: usize) -> Self {
        let (done_to, done) = channel();
        let (mut jobs, mut threads) = (Vec::new(), Vec::new());
        for rank in 1..size.max(1) {
            let (to, from) = channel::<Job>();
            let done = done_to.clone();
            let spawned = std::thread::Builder::new().name(format!("recurra-{rank}")).spawn(move || {
                while let Ok(job) = from.recv() {
                    job(rank);
                    if done.send(()).is_err() {
                        break;
                    }
                }
            });
            let Ok(thread) = spawned else { break };
            jobs.push(to);
            threads.push(thread);
        }
        let size = threads.len() + 1;
        let barrier = Arc::new(Barrier::new(size));
        let workers = (size > 1).then(|| Mutex::new(Workers { jobs, done, threads, barrier }));
        Self { size, workers }
    }

    /// Number of members.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Runs `work` on every member at once and returns when all are done. Calls from several threads take turns.
    ///
    /// # Panics
    /// When a member panics; all others are released from their meetings first.
    pub fn run(&self, work: impl Fn(&Member<'_>) + Sync) {
        match &self.workers {
            None => work(&Member::alone()),
            Some(workers) => Self::lead(&workers.lock().unwrap_or_else(PoisonError::into_inner), self.size, &work),
        }
    }

    /// Like [`Pool::run`], but where the team is busy the caller does the work alone instead of waiting.
    pub fn run_if_free(&self, work: impl Fn(&Member<'_>) + Sync) {
        match self.workers.as_ref().map(Mutex::try_lock) {
            Some(Ok(workers)) => Self::lead(&workers, self.size, &work),
            Some(Err(TryLockError::Poisoned(workers))) => Self::lead(&workers.into_inner(), self.size, &work),
            Some(Err(TryLockError::WouldBlock)) | None => work(&Member::alone()),
        }
    }

    fn lead(workers: &MutexGuard<'_, Workers>, size: usize, work: &(dyn Fn(&Member<'_>) + Sync)) {
        let barrier = &*workers.barrier;
        let failure = Mutex::new(None);
        let job = |rank: usize| {
            let member = Member { rank, size, barrier: Some(barrier) };
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| {
                fault::point(if rank == 0 { "leader" } else { "team" });
                work(&member);
            })) {
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(payload);
                barrier.break_up();
            }
        };
        let job_ref: &(dyn Fn(usize) + Sync) = &job;
        // SAFETY: the workers use the job only until they report that they are done, and this function does not
        // return (nor unwind: the job catches panics) before all have.
        let job_static: Job = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), Job>(job_ref) };
        let started = workers.jobs.iter().filter(|to| to.send(job_static).is_ok()).count();
        if started + 1 < size {
            barrier.break_up();
        }
        job(0);
        for _ in 0..started {
            // An error means that all workers are gone, and with them their use of the job.
            if workers.done.recv().is_err() {
                break;
            }
        }
        barrier.mend();
        if let Some(payload) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            resume_unwind(payload);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(workers) = self.workers.take() {
            let Workers { jobs, threads, .. } = workers.into_inner().unwrap_or_else(PoisonError::into_inner);
            drop(jobs);
            for thread in threads {
                // A worker catches every panic of its job, so joining cannot fail for a reason worth telling.
                let _ = thread.join();
            }
        }
    }
}
