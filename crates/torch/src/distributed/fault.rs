//! Who is lost, after a collective has ended with an error.
//!
//! Each rank writes that it failed before it looks further. A broken connection leads to a rank that died if that rank has written
//! nothing; a rank that has written failed itself, for a reason that it or another one finds. The first to find the reason writes it
//! down, and all others report the same.

use super::store::Place;
use crate::Error;
use crate::error::distributed;
use crate::shim::c10d::{Gloo, Said};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What a group's errors are found out from.
pub(super) struct Witness {
    pub place: Place,
    pub rank: u32,
    pub size: u32,
    pub timeout: Duration,
    /// What the processes are called, by rank.
    pub names: Vec<String>,
}

/// How long to wait for a failed rank's report, which it sends at once.
const SAYS: Duration = Duration::from_millis(400);
/// How long another rank may take to find the reason, and ranks that time out to do so one after the other.
const FINDS: Duration = Duration::from_secs(3);
/// How long rank 0 stays for others that read the reason in its store.
const READS: Duration = Duration::from_secs(1);

const FAULT: &str = "fault/reason";
const FOUND: &str = "fault/found";
const TOLD: &str = "fault/told";

fn failed(rank: u32) -> String {
    format!("failed/{rank}")
}

fn left(rank: u32) -> String {
    format!("left/{rank}")
}

/// Calls until there is a value, or the time is over.
fn within<T>(time: Duration, mut look: impl FnMut() -> Said<Option<T>>) -> Said<Option<T>> {
    let begin = Instant::now();
    loop {
        if let Some(value) = look()? {
            return Ok(Some(value));
        }
        if begin.elapsed() >= time {
            return Ok(None);
        }
        sleep(Duration::from_millis(10));
    }
}

impl Witness {
    fn name(&self, rank: u32) -> String {
        let name = self.names.get(rank as usize).map_or("unknown process", String::as_str);
        format!("rank {rank} ({name})")
    }

    fn others(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.size).filter(|&rank| rank != self.rank)
    }

    fn store_get(&self, key: &str) -> Said<Option<String>> {
        self.place.store.get(key)
    }

    /// The reason that some rank has found.
    fn reason(&self) -> Said<Option<Error>> {
        Ok(self.store_get(FAULT)?.map(|text| {
            let (rank, message) = text.split_once('\t').unwrap_or(("", &text));
            distributed(message).at_rank(rank.parse().ok())
        }))
    }

    fn has(&self, key: &str) -> Said<bool> {
        Ok(self.store_get(key)?.is_some())
    }

    /// The ranks to which connections broke and that have not said that they failed or left.
    fn broken(&self, gloo: &Gloo, call: &str) -> Said<Option<Error>> {
        let broken: Vec<u32> = self.others().filter(|&rank| gloo.is_broken(rank)).collect();
        let begin = Instant::now();
        let mut silent = broken;
        loop {
            if let Some(reason) = self.reason()? {
                return Ok(Some(reason));
            }
            let mut still = Vec::new();
            for rank in silent {
                if self.has(&left(rank))? {
                    let message = format!("{} has closed its group; the others are at {call}", self.name(rank));
                    return Ok(Some(distributed(message).at_rank(Some(rank))));
                }
                if !self.has(&failed(rank))? {
                    still.push(rank);
                }
            }
            silent = still;
            if silent.is_empty() || begin.elapsed() >= SAYS {
                break;
            }
            sleep(Duration::from_millis(10));
        }
        let Some(&first) = silent.first() else { return Ok(None) };
        let names: Vec<String> = silent.iter().map(|&rank| self.name(rank)).collect();
        let (who, its) = if names.len() == 1 { ("is", "its connection") } else { ("are", "their connections") };
        let message = format!("{} {who} lost: {its} broke at {call}", names.join(", "));
        Ok(Some(distributed(message).at_rank(Some(first))))
    }

    /// The ranks that did not come to a call in time, or came to another one.
    fn late(&self, call: &str) -> Said<Option<Error>> {
        let mut missing: Vec<u32> = self.others().collect();
        let mut calls: Vec<(u32, String)> = Vec::new();
        let begin = Instant::now();
        while !missing.is_empty() && begin.elapsed() < FINDS {
            if let Some(reason) = self.reason()? {
                return Ok(Some(reason));
            }
            let mut still = Vec::new();
            for rank in missing {
                match self.store_get(&failed(rank))? {
                    Some(other) => calls.push((rank, other)),
                    None => still.push(rank),
                }
            }
            missing = still;
            sleep(Duration::from_millis(20));
        }
        let seconds = self.timeout.as_secs_f64();
        if let Some((rank, other)) = calls.iter().find(|(_, other)| other != call) {
            let message = format!(
                "the ranks do not make the same calls: {} is at {call}, and {} is at {other}",
                self.name(self.rank),
                self.name(*rank)
            );
            return Ok(Some(distributed(message).at_rank(Some(*rank))));
        }
        let Some(&first) = missing.first() else { return Ok(None) };
        let names: Vec<String> = missing.iter().map(|&rank| self.name(rank)).collect();
        let message = format!("{} did not come to {call} within {seconds} s", names.join(", "));
        Ok(Some(distributed(message).at_rank(Some(first))))
    }

    fn look(&self, gloo: &Gloo, said: &str, call: &str) -> Said<Error> {
        self.place.store.set(&failed(self.rank), call)?;
        if let Some(reason) = self.reason()? {
            return Ok(reason);
        }
        let timed_out = said.contains("Timed out") || said.contains("timeout");
        let own = if timed_out { self.late(call)? } else { self.broken(gloo, call)? };
        let error = match own {
            Some(error) => error,
            // Those that broke their connections failed themselves: one of them knows why.
            None => match within(FINDS, || self.reason())? {
                Some(error) => error,
                None => distributed(format!("{call} failed: {said}")),
            },
        };
        if self.place.store.add(FOUND, 1)? == 1 {
            let rank = error.rank().map(|rank| rank.to_string()).unwrap_or_default();
            self.place.store.set(FAULT, &format!("{rank}\t{}", error.message()))?;
            return Ok(error);
        }
        Ok(within(SAYS, || self.reason())?.unwrap_or(error))
    }

    /// The error of a call that ended with what c10d said. Takes up to some seconds, and the group is not usable afterwards.
    pub fn find(&self, gloo: &Gloo, said: &str, call: &str) -> Error {
        let found = self.look(gloo, said, call);
        // The others are not to wait for this rank until their timeouts.
        gloo.close();
        let error = found.unwrap_or_else(|store| {
            if self.place.ends_with_first && self.rank != 0 {
                let message = format!("{} is lost, and {} with it, at {call}", self.name(0), self.place.name);
                return distributed(message).at_rank(Some(0)).caused_by(said);
            }
            distributed(format!("{call} failed ({said}), and {} does not answer ({store})", self.place.name))
        });
        let told = self.place.store.add(TOLD, 1);
        if self.place.is_server && told.is_ok() {
            // A lost rank does not come: waiting for it takes the whole time.
            let all = i64::from(self.size) - i64::from(error.rank().is_some_and(|rank| rank != 0));
            let _ = within(READS, || Ok((self.place.store.add(TOLD, 0)? >= all).then_some(())));
        }
        error
    }

    /// Tells the others that this rank closes its group, in case that one of them still computes.
    pub fn leave(&self) {
        let _ = self.place.store.set(&left(self.rank), "left");
    }
}
