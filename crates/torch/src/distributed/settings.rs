//! What a process says about the group that it joins.

use crate::error::argument;
use crate::{Error, ErrorCode, Result};
use std::time::Duration;

/// Where the processes find each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Meeting {
    /// A store at an address.
    Tcp {
        /// Name or address of the machine.
        host: String,
        /// Its port; 0 for any, only for a group of one.
        port: u16,
        /// Whether rank 0 opens the store; else it is there already, as torchrun's.
        served: bool,
    },
    /// A store in a file that all see, and that was not there before.
    File(String),
}

/// What a process says about the group that it joins.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `gloo`; `nccl` is refused.
    pub backend: String,
    /// This process's number, from 0.
    pub rank: u32,
    /// Processes in the group.
    pub size: u32,
    /// Where they find each other.
    pub meeting: Meeting,
    /// What one start of all processes is called, such as the number of restarts: keys of another start are not read.
    pub run: String,
    /// How long a rank may be silent, and how long the others may take to arrive.
    pub timeout: Duration,
    /// Address or name of this machine's interface that the group's connections are bound to.
    pub hostname: Option<String>,
    /// Names of interfaces instead, separated by commas.
    pub interface: Option<String>,
    /// Version of the program, which must be that of all ranks.
    pub version: String,
}

/// The largest group: every rank is connected with every other one.
const LARGEST: u32 = 4096;

impl Settings {
    /// Checks everything that can be checked without the other processes.
    ///
    /// # Errors
    /// `InvalidArgument` with the option, `Distributed` for a backend that is not there.
    pub fn validate(&self) -> Result<()> {
        if self.backend == "nccl" {
            return Err(Error::new(
                ErrorCode::Distributed,
                "backend 'nccl' is not there: the libtorch that was opened has no NCCL. Use 'gloo', which computes on the CPU",
            ));
        }
        if self.backend != "gloo" {
            return Err(argument(format!("backend must be 'gloo' but is '{}'", self.backend)).about("backend"));
        }
        if self.size == 0 || self.size > LARGEST {
            return Err(
                argument(format!("worldSize must be from 1 to {LARGEST} but is {}", self.size)).about("worldSize")
            );
        }
        if self.rank >= self.size {
            let message = format!("rank must be below the worldSize of {} but is {}", self.size, self.rank);
            return Err(argument(message).about("rank"));
        }
        if self.timeout < Duration::from_millis(1) {
            return Err(argument("timeout must be more than 0").about("timeout"));
        }
        match &self.meeting {
            Meeting::Tcp { host, .. } if host.trim().is_empty() => {
                Err(argument("masterAddr is missing: the address of the machine of rank 0").about("masterAddr"))
            }
            Meeting::Tcp { port: 0, .. } if self.size > 1 => {
                Err(argument("masterPort is missing: a free port of the machine of rank 0").about("masterPort"))
            }
            _ => Ok(()),
        }
    }
}
