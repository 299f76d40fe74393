//! A process group: collectives of tensors, asynchronous and in the order of their calls.

use super::call::{Call, ReduceOp};
use super::fault::Witness;
use super::settings::Settings;
use super::{join, store};
use crate::error::{IntoResult, argument, distributed, shape};
use crate::shim::c10d::{self, Collective, Gloo};
use crate::shim::{self, check, handle};
use crate::tensor::{convert, describe, is_floating};
use crate::{Device, Error, ErrorCode, Result, Tensor};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use tch::Kind;

/// What is called with the result of a collective, once, from a thread that is not JavaScript's.
pub type Finished<T> = Box<dyn FnOnce(Result<T>) + Send>;

/// The connections, which a closed group has no more, and how many calls were made.
struct Connected {
    gloo: Option<Arc<Gloo>>,
    calls: u64,
}

pub(super) struct Inner {
    connected: Mutex<Connected>,
    witness: Witness,
    failed: Mutex<Option<Error>>,
}

/// A group of processes, this one among them.
///
/// The same calls must be made in the same order in all of them. After an error the group answers every call with it. A group that is dropped
/// without [`Group::close`] breaks its connections, but its memory stays with the process.
#[derive(Clone)]
pub struct Group {
    pub(super) inner: Arc<Inner>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> Error {
    Error::new(ErrorCode::Disposed, "this process group was closed")
}

/// A tensor as c10d takes it, of the same memory where it can be.
fn plain(what: &str, tensor: &Tensor) -> Result<Tensor> {
    if tensor.device() != Device::Cpu || tensor.is_sparse() {
        return Err(argument(format!("{what}: gloo exchanges dense tensors on the CPU, not {}", describe(tensor))));
    }
    tensor.f_detach().torch()?.f_contiguous().torch()
}

/// Puts what was exchanged in `flat` into `tensor`, whose memory may be another one, and tells graphs of it.
fn put(tensor: &Tensor, flat: &Tensor) -> Result<()> {
    let mut plain = tensor.f_detach().torch()?;
    if plain.data_ptr() != flat.data_ptr() {
        plain.f_copy_(flat).torch()?;
    }
    // SAFETY: a borrowed handle of a live tensor.
    check(unsafe { shim::recurra_bump_version(handle(tensor)) })
}

fn divide(tensor: &Tensor, size: u32) -> Result<()> {
    let mut plain = tensor.shallow_clone();
    plain.f_div_scalar_(i64::from(size)).torch().map(drop)
}

/// Refuses an average of whole numbers.
fn check_average(op: ReduceOp, tensor: &Tensor) -> Result<()> {
    if op == ReduceOp::Avg && !is_floating(tensor.f_kind().torch()?) {
        let message = format!("op 'avg' is for floating point tensors, not {}: use 'sum'", describe(tensor));
        return Err(argument(message).about("op"));
    }
    Ok(())
}

impl Group {
    /// Joins the group; blocks until all processes have come.
    ///
    /// # Errors
    /// `InvalidArgument` for settings that cannot be, `Distributed` where the processes do not find each other or differ.
    pub fn open(settings: &Settings) -> Result<Self> {
        settings.validate()?;
        if !c10d::available() {
            return Err(distributed(
                "process groups are there on Linux alone; on this system one process trains by itself",
            ));
        }
        let place = store::place(settings)?;
        let (gloo, members) = join::join(&place, settings)?;
        let names = members.iter().map(join::Member::name).collect();
        let Settings { rank, size, timeout, .. } = *settings;
        let inner = Arc::new(Inner {
            connected: Mutex::new(Connected { gloo: Some(Arc::new(gloo)), calls: 0 }),
            witness: Witness { place, rank, size, timeout, names },
            failed: Mutex::new(None),
        });
        Ok(Self { inner })
    }

    /// This process's number, from 0.
    pub fn rank(&self) -> u32 {
        self.inner.witness.rank
    }

    /// Processes in the group.
    pub fn size(&self) -> u32 {
        self.inner.witness.size
    }

    /// Starts a call; `finish` is called from a thread of c10d, or another one after a failure.
    fn start(&self, call: Call, tensors: (&[Tensor], &[Tensor]), finish: Finished<()>) -> Result<()> {
        if let Some(error) = lock(&self.inner.failed).clone() {
            return Err(error);
        }
        // Held until the call is in c10d's queue, so that numbers and calls have one order.
        let mut connected = lock(&self.inner.connected);
        let gloo = connected.gloo.clone().ok_or_else(closed)?;
        connected.calls += 1;
        let number = connected.calls;
        let words = call.describe(number);
        let weak: Weak<Inner> = Arc::downgrade(&self.inner);
        let told = words.clone();
        let end = move |result: c10d::Said<()>| match result {
            Ok(()) => finish(Ok(())),
            Err(said) => fail(weak, said, told, finish),
        };
        gloo.start(call.collective, tensors, (call.reduce.number(), call.root), call.tag(number), Box::new(end))
            .map_err(|said| argument(format!("{words}: {said}")))
    }

    /// Replaces a tensor by what all ranks' tensors of this shape give. `finish` gets nothing but the error.
    ///
    /// # Errors
    /// `InvalidArgument` for a tensor that is not dense and on the CPU; the others reach `finish`.
    pub fn all_reduce(&self, tensor: &Tensor, op: ReduceOp, finish: Finished<()>) -> Result<()> {
        check_average(op, tensor)?;
        let flat = plain("allReduce", tensor)?;
        if flat.numel() == 0 {
            finish(Ok(()));
            return Ok(());
        }
        let call = Call { collective: Collective::AllReduce, reduce: op, root: 0, what: describe(&flat) };
        let (size, kept, tensor) = (self.size(), flat.shallow_clone(), tensor.shallow_clone());
        let after = move || {
            if op == ReduceOp::Avg {
                divide(&kept, size)?;
            }
            put(&tensor, &kept)
        };
        self.start(call, (&[flat], &[]), Box::new(move |result| finish(result.and_then(|()| after()))))
    }

    /// Replaces a tensor by that of rank `root`.
    ///
    /// # Errors
    /// As [`all_reduce`](Self::all_reduce), and `OutOfRange` for a rank that is not there.
    pub fn broadcast(&self, tensor: &Tensor, root: u32, finish: Finished<()>) -> Result<()> {
        if root >= self.size() {
            let message = format!("src must be a rank below {} but is {root}", self.size());
            return Err(Error::new(ErrorCode::OutOfRange, message).about("src"));
        }
        let flat = plain("broadcast", tensor)?;
        if flat.numel() == 0 {
            finish(Ok(()));
            return Ok(());
        }
        let call = Call { collective: Collective::Broadcast, reduce: ReduceOp::Sum, root, what: describe(&flat) };
        let (kept, tensor) = (flat.shallow_clone(), tensor.shallow_clone());
        let finish = move |result: Result<()>| finish(result.and_then(|()| put(&tensor, &kept)));
        self.start(call, (&[flat], &[]), Box::new(finish))
    }

    /// All ranks' tensors of this shape, in the order of the ranks.
    ///
    /// # Errors
    /// As [`all_reduce`](Self::all_reduce).
    pub fn all_gather(&self, tensor: &Tensor, finish: Finished<Vec<Tensor>>) -> Result<()> {
        let flat = plain("allGather", tensor)?;
        let empty = || Tensor::f_empty(flat.size(), (flat.f_kind().torch()?, Device::Cpu)).torch();
        let outputs = (0..self.size()).map(|_| empty()).collect::<Result<Vec<_>>>()?;
        if flat.numel() == 0 {
            finish(Ok(outputs));
            return Ok(());
        }
        let call = Call { collective: Collective::AllGather, reduce: ReduceOp::Sum, root: 0, what: describe(&flat) };
        let kept: Vec<Tensor> = outputs.iter().map(Tensor::shallow_clone).collect();
        self.start(call, (&[flat], &outputs), Box::new(move |result| finish(result.map(|()| kept))))
    }

    /// Of one tensor for each rank, gives what all ranks' tensors for this rank give together.
    ///
    /// # Errors
    /// As [`all_reduce`](Self::all_reduce), and `InvalidShape` for another number of tensors or unequal ones.
    pub fn reduce_scatter(&self, tensors: &[Tensor], op: ReduceOp, finish: Finished<Tensor>) -> Result<()> {
        let flats = tensors.iter().map(|tensor| plain("reduceScatter", tensor)).collect::<Result<Vec<_>>>()?;
        let Some(first) = flats.first().filter(|_| flats.len() == self.size() as usize) else {
            return Err(shape(format!(
                "reduceScatter: expected {} tensors, one for each rank, but received {}",
                self.size(),
                flats.len()
            )));
        };
        let kind = |tensor: &Tensor| tensor.f_kind().torch();
        for flat in &flats {
            if flat.size() != first.size() || kind(flat)? != kind(first)? {
                return Err(shape(format!("reduceScatter: {} is not as {}", describe(flat), describe(first))));
            }
        }
        check_average(op, first)?;
        // Gloo has no such collective; c10d makes it of an all-reduce, too.
        let all = Tensor::f_stack(&flats, 0).torch()?;
        let own = all.f_select(0, i64::from(self.rank())).torch()?;
        self.all_reduce(&all, op, Box::new(move |result| finish(result.and_then(|()| convert::clone(&own)))))
    }

    /// Ends when all ranks have come here.
    ///
    /// # Errors
    /// As [`all_reduce`](Self::all_reduce).
    pub fn barrier(&self, finish: Finished<()>) -> Result<()> {
        let call = Call { collective: Collective::Barrier, reduce: ReduceOp::Sum, root: 0, what: String::new() };
        self.start(call, (&[], &[]), finish)
    }

    /// Ends the group in this process. Ranks that still wait for this one get an error. To be called by no thread of c10d.
    pub fn close(&self) {
        let gloo = lock(&self.inner.connected).gloo.take();
        let Some(gloo) = gloo else { return };
        if lock(&self.inner.failed).is_none() {
            self.inner.witness.leave();
        }
        gloo.close();
        // A search for a failure that is under way holds it, and then its memory stays.
        if let Some(gloo) = Arc::into_inner(gloo) {
            gloo.free();
        }
    }

    /// Runs a collective and waits for its end.
    ///
    /// # Errors
    /// Those of the collective.
    pub fn wait<T: Send + 'static>(start: impl FnOnce(Finished<T>) -> Result<()>) -> Result<T> {
        let (sender, receiver) = sync_channel(1);
        start(Box::new(move |result| {
            let _ = sender.send(result);
        }))?;
        receiver.recv().unwrap_or_else(|_| Err(closed()))
    }

    /// Sums contiguous values of all ranks in place, and waits.
    pub(super) fn sum_in_place(&self, values: *mut u8, len: usize, kind: Kind) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        let size = [len as i64];
        // SAFETY: the caller's `len` values, which outlive the tensor because this waits for the call.
        let tensor = unsafe { Tensor::from_blob(values, &size, &[1], kind, Device::Cpu) };
        Self::wait(|finish| self.all_reduce(&tensor, ReduceOp::Sum, finish))
    }

    /// Gathers `len` bytes of each rank, and waits.
    pub(super) fn gather_bytes(&self, bytes: *const u8, len: usize, out: *mut u8) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        // SAFETY: the caller's bytes, which outlive the tensors because this waits for the call; the input is only
        // read.
        let blob = |at: *mut u8| unsafe { Tensor::from_blob(at, &[len as i64], &[1], Kind::Uint8, Device::Cpu) };
        let input = blob(bytes.cast_mut());
        // SAFETY: `out` has `len` bytes for each rank.
        let outputs: Vec<Tensor> = (0..self.size() as usize).map(|rank| blob(unsafe { out.add(rank * len) })).collect();
        let call =
            Call { collective: Collective::AllGather, reduce: ReduceOp::Sum, root: 0, what: format!("{len} bytes") };
        Self::wait(|finish| self.start(call, (&[input], &outputs), finish))
    }
}

type Search = Box<dyn FnOnce() + Send>;

/// Finds out why a call failed, away from c10d's threads, and ends it with that.
fn fail(weak: Weak<Inner>, said: String, call: String, finish: Finished<()>) {
    let search = move || {
        let Some(inner) = weak.upgrade() else { return finish(Err(closed())) };
        let mut failed = lock(&inner.failed);
        let error = failed.clone().unwrap_or_else(|| {
            let gloo = lock(&inner.connected).gloo.clone();
            gloo.map_or_else(closed, |gloo| inner.witness.find(&gloo, &said, &call))
        });
        *failed = Some(error.clone());
        drop(failed);
        finish(Err(error));
    };
    let search: Arc<Mutex<Option<Search>>> = Arc::new(Mutex::new(Some(Box::new(search))));
    let run = |search: &Mutex<Option<Search>>| {
        let search = lock(search).take();
        if let Some(search) = search {
            search();
        }
    };
    let own = Arc::clone(&search);
    if thread::Builder::new().name("recurra-group".into()).spawn(move || run(&own)).is_err() {
        // Not even a thread can be had: c10d's own waits then.
        run(&search);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let connected = self.connected.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(gloo) = connected.gloo.take() {
            gloo.close();
            // Freeing waits for c10d's threads, and this may be one of them, or the end of the process.
            std::mem::forget(gloo);
        }
    }
}
