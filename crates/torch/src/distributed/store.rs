//! The stores of this process. One that was opened stays open: a second group of the same processes meets in it again.

use super::address;
use super::settings::{Meeting, Settings};
use crate::Result;
use crate::error::distributed;
use crate::shim::c10d::Store;
use std::sync::{Arc, Mutex, PoisonError};

struct Held {
    meeting: Meeting,
    run: String,
    rank: u32,
    store: Arc<Store>,
    groups: u64,
}

static HELD: Mutex<Vec<Held>> = Mutex::new(Vec::new());

/// The part of a store that belongs to one group.
pub(super) struct Place {
    /// That part.
    pub store: Store,
    /// Whether this process serves it.
    pub is_server: bool,
    /// Whether rank 0 serves it, so that it ends with rank 0.
    pub ends_with_first: bool,
    /// What it is called in messages.
    pub name: String,
}

fn open(settings: &Settings) -> Result<Store> {
    let timeout = settings.timeout;
    match &settings.meeting {
        Meeting::File(path) => Store::file(path, timeout)
            .map_err(|said| distributed(format!("the store in the file {path} cannot be opened: {said}"))),
        Meeting::Tcp { host, port, served } => {
            let (listener, port) = if *served && settings.rank == 0 {
                let listener = address::listen(host, *port)?;
                let port = listener.local_addr().map_or(*port, |address| address.port());
                (Some(listener), port)
            } else {
                address::wait_for(host, *port, timeout)?;
                (None, *port)
            };
            Store::tcp(host, port, listener, timeout).map_err(|said| {
                distributed(format!(
                    "what listens at {host}:{port} is not a c10d store ({said}): check MASTER_ADDR and MASTER_PORT"
                ))
            })
        }
    }
}

/// Opens the store, or takes the open one, and gives the part of the next group in it.
pub(super) fn place(settings: &Settings) -> Result<Place> {
    let Settings { meeting, rank, run, .. } = settings;
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    // A port of 0 is another one at each time.
    let any_port = matches!(meeting, Meeting::Tcp { port: 0, .. });
    let found = held
        .iter()
        .position(|entry| !any_port && entry.meeting == *meeting && entry.rank == *rank && entry.run == *run);
    let at = match found {
        Some(at) => at,
        None => {
            let store = Arc::new(open(settings)?);
            held.push(Held { meeting: meeting.clone(), run: run.clone(), rank: *rank, store, groups: 0 });
            held.len() - 1
        }
    };
    let entry = &mut held[at];
    entry.groups += 1;
    let store = entry.store.part(&format!("recurra/{run}/{}", entry.groups)).map_err(distributed)?;
    let (ends_with_first, name) = match meeting {
        Meeting::Tcp { host, port, served } => (*served, format!("the store at {host}:{port}")),
        Meeting::File(path) => (false, format!("the store in {path}")),
    };
    Ok(Place { store, is_server: ends_with_first && *rank == 0, ends_with_first, name })
}
