//! Threads that act as ranks, and an in-memory group that connects them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use recurra_core::{Error, ErrorCode, NetworkConfig, Result};
use recurra_kernels::network::{Exchange, Network};

/// The shared state of an in-memory group.
pub struct Group {
    pub meeting: Barrier,
    pub values: Mutex<Vec<Vec<f32>>>,
    pub bytes: Mutex<Vec<Vec<u8>>>,
    /// Number of values summed, over all meetings.
    pub sent: AtomicUsize,
    /// The meeting at which the group fails.
    pub breaks_at: usize,
    pub meetings: AtomicUsize,
}

pub struct Rank {
    pub rank: usize,
    pub size: usize,
    pub group: Arc<Group>,
}

impl Exchange for Rank {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn all_reduce(&self, values: &mut [f32]) -> Result<()> {
        self.group.values.lock().unwrap()[self.rank] = values.to_vec();
        self.group.meeting.wait();
        let sum = |at: usize| self.group.values.lock().unwrap().iter().map(|own| own[at]).sum::<f32>();
        if self.group.meetings.load(Ordering::SeqCst) >= self.group.breaks_at {
            return Err(Error::new(ErrorCode::Distributed, "rank 1 is lost").at_rank(Some(1)));
        }
        for (at, value) in values.iter_mut().enumerate() {
            *value = sum(at);
        }
        if self.rank == 0 {
            self.group.sent.fetch_add(values.len(), Ordering::SeqCst);
        }
        if self.group.meeting.wait().is_leader() {
            self.group.meetings.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    fn all_gather(&self, bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
        self.group.bytes.lock().unwrap()[self.rank] = bytes.to_vec();
        self.group.meeting.wait();
        let all = self.group.bytes.lock().unwrap().clone();
        self.group.meeting.wait();
        Ok(all)
    }
}

pub fn group(size: usize, breaks_at: usize) -> Arc<Group> {
    Arc::new(Group {
        meeting: Barrier::new(size),
        values: Mutex::new(vec![vec![]; size]),
        bytes: Mutex::new(vec![vec![]; size]),
        sent: AtomicUsize::new(0),
        breaks_at,
        meetings: AtomicUsize::new(0),
    })
}

/// Creates a network for each rank and runs `work` with all of them concurrently.
pub fn on_ranks<T: Send>(
    config: &NetworkConfig,
    group: &Arc<Group>,
    size: usize,
    work: impl Fn(usize, &Network) -> T + Sync,
) -> Vec<T> {
    std::thread::scope(|scope| {
        let start = |rank: usize| {
            let (work, group) = (&work, Arc::clone(group));
            // Ranks may have different numbers of threads.
            let config = config.clone().with(|c| c.threads = 1 + rank % 2);
            scope.spawn(move || {
                let network = Network::new(config).unwrap();
                network.distribute(Some(Arc::new(Rank { rank, size, group })));
                work(rank, &network)
            })
        };
        let ranks: Vec<_> = (0..size).map(start).collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}
