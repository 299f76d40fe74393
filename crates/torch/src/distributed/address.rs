//! Which of a machine's addresses the others reach, and which machine this is.

use crate::Result;
use crate::error::distributed as fail;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The addresses of a name.
fn resolve(host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    (host, port).to_socket_addrs().map(Iterator::collect)
}

/// This machine's address from which packets to another one go. Nothing is sent.
pub(super) fn towards(host: &str, port: u16) -> Option<IpAddr> {
    resolve(host, port.max(1)).ok()?.into_iter().find_map(|target| {
        let any: IpAddr = if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect(target).ok()?;
        Some(socket.local_addr().ok()?.ip())
    })
}

/// Whether an address is one that other machines cannot reach.
pub(super) fn is_loopback(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a host is this machine alone, as it is written.
fn is_local_name(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || is_loopback(host)
}

/// The socket on which rank 0 serves the store: bound to the address that the ranks were told, where it is one of this machine's.
///
/// A name that this machine's own table maps to a loopback address, as Debian's does, and an address of a translator in front of it are
/// bound to all interfaces: other machines could not reach the store otherwise.
pub(super) fn listen(host: &str, port: u16) -> Result<TcpListener> {
    let targets = resolve(host, port).map_err(|error| {
        fail(format!("the name of the master, {host}, is not known to this machine ({error}): check MASTER_ADDR"))
    })?;
    let in_use = |error: &std::io::Error| error.kind() == std::io::ErrorKind::AddrInUse;
    let taken = || {
        fail(format!(
            "port {port} of {host} is in use by another process: choose another MASTER_PORT for all ranks, or end what listens there"
        ))
    };
    for target in targets.iter().filter(|target| is_local_name(host) || !target.ip().is_loopback()) {
        match TcpListener::bind(target) {
            Ok(listener) => return Ok(listener),
            Err(error) if in_use(&error) => return Err(taken()),
            Err(_) => {}
        }
    }
    let any = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))
        .or_else(|error| if in_use(&error) { Err(error) } else { TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) });
    any.map_err(
        |error| {
            if in_use(&error) { taken() } else { fail(format!("rank 0 cannot listen on port {port}: {error}")) }
        },
    )
}

/// Waits until something listens at the master's address.
pub(super) fn wait_for(host: &str, port: u16, timeout: Duration) -> Result<()> {
    let begin = Instant::now();
    let mut last = String::from("no address");
    let mut pause = Duration::from_millis(10);
    loop {
        match resolve(host, port) {
            Ok(targets) => {
                for target in targets {
                    let left = timeout.saturating_sub(begin.elapsed()).max(Duration::from_millis(1));
                    match TcpStream::connect_timeout(&target, left) {
                        Ok(_) => return Ok(()),
                        Err(error) => last = error.to_string(),
                    }
                }
            }
            Err(error) => last = error.to_string(),
        }
        if begin.elapsed() + pause >= timeout {
            return Err(fail(format!(
                "the master, rank 0, does not answer at {host}:{port} within {} s ({last}): is rank 0 started, is MASTER_ADDR its machine, and \
                 does a firewall let port {port} through?",
                timeout.as_secs_f64()
            )));
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(250));
    }
}

/// This machine's name.
pub(super) fn hostname() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| String::from("this machine"))
}

/// What two processes have in common if the loopback address of one is that of the other: boot and network namespace.
pub(super) fn network() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = fs::read_link("/proc/self/ns/net").map(|path| path.display().to_string()).unwrap_or_default();
    format!("{}/{space}", boot.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_and_told_apart() {
        assert_eq!(towards("127.0.0.1", 29500), Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        assert!(is_loopback("127.0.1.1") && is_loopback("::1") && !is_loopback("10.0.0.1") && !is_loopback("eth0"));
        assert!(is_local_name("LocalHost"));
    }

    #[test]
    fn a_port_in_use_and_a_silent_master_are_named() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        let error = listen("127.0.0.1", port).unwrap_err();
        assert!(error.message().contains(&format!("port {port} of 127.0.0.1 is in use")), "{error}");
        wait_for("127.0.0.1", port, Duration::from_secs(5)).unwrap();
        drop(held);
        let error = wait_for("127.0.0.1", port, Duration::from_millis(50)).unwrap_err();
        assert!(error.message().contains("within 0.05 s"), "{error}");
    }
}
