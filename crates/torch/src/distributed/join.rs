//! How the processes of a group come together: each says who it is, and waits until all others have.

use super::address;
use super::settings::{Meeting, Settings};
use super::store::Place;
use crate::error::distributed;
use crate::shim::c10d::{Gloo, Places};
use crate::{Error, Result, context};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// One process of a group, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pid: u32,
    host: String,
    /// Equal for two processes that reach each other by their loopback addresses.
    network: String,
    /// The address that it would be reached by.
    address: String,
    size: u32,
    version: String,
}

impl Member {
    fn own(settings: &Settings) -> Self {
        let reached = match &settings.meeting {
            Meeting::Tcp { host, port, .. } => address::towards(host, *port),
            Meeting::File(_) => None,
        };
        let address = settings.hostname.clone().or_else(|| reached.map(|address| address.to_string()));
        Self {
            pid: std::process::id(),
            host: address::hostname(),
            network: address::network(),
            address: address.unwrap_or_default(),
            size: settings.size,
            version: format!("recurra {} with libtorch {}", settings.version, context::torch_version()),
        }
    }

    fn to_text(&self) -> String {
        let Self { pid, host, network, address, size, version } = self;
        [&pid.to_string(), host, network, address, &size.to_string(), version]
            .map(|part| part.replace('\t', " "))
            .join("\t")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('\t').map(str::to_owned);
        Some(Self {
            pid: parts.next()?.parse().ok()?,
            host: parts.next()?,
            network: parts.next()?,
            address: parts.next()?,
            size: parts.next()?.parse().ok()?,
            version: parts.next()?,
        })
    }

    /// `process 12 on host`.
    pub(super) fn name(&self) -> String {
        format!("process {} on {}", self.pid, self.host)
    }
}

fn lost_store(place: &Place, said: &str) -> Error {
    let rank = place.ends_with_first.then_some(0);
    let of = if place.ends_with_first { ", which rank 0 serves," } else { "" };
    distributed(format!("{}{of} does not answer any more: {said}", place.name)).at_rank(rank)
}

/// Refuses a process whose settings are not those of this one.
fn compare(settings: &Settings, own: &Member, rank: u32, other: &Member) -> Result<()> {
    let unequal = |what: &str, mine: &str, others: &str| {
        Err(distributed(format!(
            "the ranks differ in {what}: rank {} ({}) has {mine}, rank {rank} ({}) has {others}",
            settings.rank,
            own.name(),
            other.name()
        ))
        .at_rank(Some(rank)))
    };
    if own.size != other.size {
        return unequal("the number of processes (WORLD_SIZE)", &own.size.to_string(), &other.size.to_string());
    }
    if own.version != other.version {
        return unequal("their versions", &own.version, &other.version);
    }
    Ok(())
}

fn list(ranks: &[u32]) -> String {
    let numbers: Vec<String> = ranks.iter().take(8).map(u32::to_string).collect();
    let more = if ranks.len() > 8 { format!(" and {} more", ranks.len() - 8) } else { String::new() };
    format!("{} {}{more}", if ranks.len() == 1 { "rank" } else { "ranks" }, numbers.join(", "))
}

/// All processes of the group, this one among them, in the order of their ranks.
fn gather(place: &Place, settings: &Settings, own: &Member) -> Result<Vec<Member>> {
    let begin = Instant::now();
    let lost = |said: String| lost_store(place, &said);
    let store = &place.store;
    let me = settings.rank;
    let key = |rank: u32| format!("member/{rank}");
    if store.add(&format!("taken/{me}"), 1).map_err(lost)? > 1 {
        // The other one may be about to say who it is.
        let mut other = None;
        while other.is_none() && begin.elapsed() < Duration::from_secs(1) {
            other = store.get(&key(me)).map_err(lost)?.as_deref().and_then(Member::parse);
            sleep(Duration::from_millis(10));
        }
        let other = other.map_or_else(|| String::from("another process"), |member| member.name());
        let message =
            format!("two processes have rank {me}: {other} and {}: give each process its own RANK", own.name());
        return Err(distributed(message).at_rank(Some(me)));
    }
    store.set(&key(me), &own.to_text()).map_err(lost)?;
    let mut members: Vec<Option<Member>> = vec![None; settings.size as usize];
    let mut pause = Duration::from_millis(1);
    loop {
        for rank in 0..settings.size {
            let member = &mut members[rank as usize];
            if member.is_none() {
                *member = store.get(&key(rank)).map_err(lost)?.as_deref().and_then(Member::parse);
                member.as_ref().map_or(Ok(()), |other| compare(settings, own, rank, other))?;
            }
        }
        let missing: Vec<u32> = (0..settings.size).filter(|&rank| members[rank as usize].is_none()).collect();
        if missing.is_empty() {
            return Ok(members.into_iter().flatten().collect());
        }
        if begin.elapsed() >= settings.timeout {
            let message = format!(
                "{} of {} did not arrive at {} within {} s: look at what they say, and whether they were started",
                list(&missing),
                settings.size,
                place.name,
                settings.timeout.as_secs_f64()
            );
            return Err(distributed(message).at_rank(missing.first().copied()));
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Where the connections of this process are bound.
fn places(settings: &Settings, own: &Member, members: &[Member]) -> Result<Places> {
    if let Some(interfaces) = &settings.interface {
        let names = interfaces.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        return Ok(Places::Interfaces(names.collect()));
    }
    if settings.hostname.is_some() {
        return Ok(Places::Addresses(vec![own.address.clone()]));
    }
    let Some(other) = members.iter().find(|member| member.network != own.network) else {
        // All on this machine: no other machine needs to reach them.
        let address = if own.address.is_empty() { "127.0.0.1" } else { &own.address };
        return Ok(Places::Addresses(vec![address.to_owned()]));
    };
    if !own.address.is_empty() && !address::is_loopback(&own.address) {
        return Ok(Places::Addresses(vec![own.address.clone()]));
    }
    // The master's name leads back to this machine; the way to another one leads out of it.
    let target = members
        .iter()
        .filter(|member| member.network != own.network && !member.address.is_empty())
        .find(|member| !address::is_loopback(&member.address));
    let reached = target.and_then(|member| address::towards(&member.address, 1)).map(|address| address.to_string());
    reached.filter(|address| !address::is_loopback(address)).map(|address| Places::Addresses(vec![address])).ok_or_else(|| {
        distributed(format!(
            "rank {} ({}) and {} are on two machines, and no address of this one is known that the other reaches: set \
             GLOO_SOCKET_IFNAME to the interface between them, or the option hostname",
            settings.rank,
            own.name(),
            other.name()
        ))
    })
}

/// Brings the processes together.
///
/// # Errors
/// `Distributed` where a rank does not arrive, has the number of another one, or differs, and where they cannot be connected.
pub(super) fn join(place: &Place, settings: &Settings) -> Result<(Gloo, Vec<Member>)> {
    let own = Member::own(settings);
    let members = gather(place, settings, &own)?;
    let places = places(settings, &own, &members)?;
    let gloo = Gloo::connect(&place.store, settings.rank, settings.size, settings.timeout, &places).map_err(|said| {
        let bound = match &places {
            Places::Addresses(names) | Places::Interfaces(names) => names.join(", "),
        };
        distributed(format!(
            "rank {} ({}), bound to {bound}, cannot be connected with the other ranks: {said}. Set GLOO_SOCKET_IFNAME to the interface \
             between the machines, or the option hostname",
            settings.rank,
            own.name()
        ))
    })?;
    Ok((gloo, members))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_read_as_it_was_written() {
        let member = Member {
            pid: 7,
            host: "a host".into(),
            network: "boot/net".into(),
            address: String::new(),
            size: 3,
            version: "recurra 1 with libtorch 2".into(),
        };
        assert_eq!(Member::parse(&member.to_text()), Some(member));
        assert_eq!(Member::parse("7\thost"), None);
        assert_eq!(list(&[3]), "rank 3");
        assert_eq!(list(&(0..10).collect::<Vec<_>>()), "ranks 0, 1, 2, 3, 4, 5, 6, 7 and 2 more");
    }
}
