//! The threads that the kernels run on.

use crate::context;
use recurra_core::layout::PackedLayout;
use recurra_kernels::recurrent::RecurrentConfig;
use recurra_kernels::threads::Pool;
use std::sync::{Arc, Mutex, PoisonError};

/// The team of threads, of the size that the user set; rebuilt when that changes.
fn pool() -> Arc<Pool> {
    static POOL: Mutex<Option<(usize, Arc<Pool>)>> = Mutex::new(None);
    let wanted = context::num_threads().max(1) as usize;
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    match &*pool {
        // A team is smaller than wanted where the system refused a thread: compared is what was asked for.
        Some((asked, team)) if *asked == wanted => Arc::clone(team),
        _ => {
            let team = Arc::new(Pool::new(wanted));
            *pool = Some((wanted, Arc::clone(&team)));
            team
        }
    }
}

/// Below this number of multiplications waking another thread costs more than it saves: between two calls the graph's other
/// operators run, so the team sleeps. The lesson's batch has 9 million and is faster on one thread.
const SMALL: usize = 16_000_000;

/// The team for so much work.
pub(super) fn team(config: &RecurrentConfig, layout: &PackedLayout) -> Arc<Pool> {
    let width = config.input_size.max(config.output_size()) + config.state_size();
    let each = config.cell.gates() * config.hidden_size * width * config.num_layers * config.directions();
    if layout.total().saturating_mul(each) < SMALL || (layout.rows() == 1 && !config.bidirectional) {
        static ALONE: Mutex<Option<Arc<Pool>>> = Mutex::new(None);
        let mut alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        return Arc::clone(alone.get_or_insert_with(|| Arc::new(Pool::new(1))));
    }
    pool()
}
