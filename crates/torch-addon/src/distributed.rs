//! `ProcessGroup`: several processes that exchange tensors.

use crate::background::background;
use crate::tensor::{NativeTensor, TensorList, tensors, wrap, wrap_all};
use napi::bindgen_prelude::{AsyncTask, BigInt, PromiseRaw, ToNapiValue, Uint8Array};
use napi::{Env, JsValue};
use napi_derive::napi;
use recurra_binding::{Background, IntoJs, to_js};
use recurra_core::Collective;
use recurra_torch::distributed::{Finished, Group, Lent, Meeting, ReduceOp, Settings};
use recurra_torch::{Error, ErrorCode, Result};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

/// What a process says about the group that it joins.
#[napi(object, object_to_js = false)]
pub struct GroupSettings {
    /// `gloo`.
    pub backend: String,
    /// This process's number, from 0.
    pub rank: u32,
    /// Processes in the group.
    pub size: u32,
    /// Address of the machine of rank 0; not with `file`.
    pub master_addr: Option<String>,
    /// Its port; 0 for any in a group of one.
    pub master_port: Option<u32>,
    /// Whether rank 0 opens the store there; else it is there already.
    pub served: bool,
    /// A file that all see, instead of an address.
    pub file: Option<String>,
    /// What one start of all processes is called.
    pub run: String,
    /// How long a rank may be silent, in seconds.
    pub timeout: f64,
    /// Address or name of this machine's interface to bind to.
    pub hostname: Option<String>,
    /// Names of interfaces instead, separated by commas.
    pub interface: Option<String>,
    /// Version of the program.
    pub version: String,
}

impl From<GroupSettings> for Settings {
    fn from(settings: GroupSettings) -> Self {
        let GroupSettings { backend, rank, size, served, run, hostname, interface, version, .. } = settings;
        let meeting = settings.file.map_or_else(
            || Meeting::Tcp {
                host: settings.master_addr.unwrap_or_default(),
                port: settings.master_port.and_then(|port| u16::try_from(port).ok()).unwrap_or_default(),
                served,
            },
            Meeting::File,
        );
        let timeout = Duration::try_from_secs_f64(settings.timeout).unwrap_or_default();
        Self { backend, rank, size, meeting, run, timeout, hostname, interface, version }
    }
}

type Resolver<J> = Box<dyn FnOnce(Env) -> napi::Result<J>>;

/// A promise that a collective settles from its own thread.
fn promised<'env, T: Send + 'static, J: ToNapiValue + 'static>(
    env: &'env Env,
    start: impl FnOnce(Finished<T>) -> Result<()>,
    finish: impl FnOnce(Env, T) -> napi::Result<J> + Send + 'static,
) -> napi::Result<PromiseRaw<'env, J>> {
    let (deferred, promise) = env.create_deferred::<J, Resolver<J>>()?;
    let settle = deferred.clone();
    let finished = move |result: Result<T>| match result {
        Ok(value) => settle.resolve(Box::new(move |env| finish(env, value))),
        Err(error) => settle.reject(to_js(error)),
    };
    if let Err(error) = start(Box::new(finished)) {
        deferred.reject(to_js(error));
    }
    Ok(PromiseRaw::new(env.raw(), promise.raw()))
}

/// This process's place in a group.
#[napi]
pub struct ProcessGroup {
    lent: RefCell<Option<Arc<Lent>>>,
}

impl ProcessGroup {
    fn lent(&self) -> napi::Result<Arc<Lent>> {
        let closed = || to_js(Error::new(ErrorCode::Disposed, "this process group was closed"));
        self.lent.borrow().clone().ok_or_else(closed)
    }

    fn group(&self) -> napi::Result<Group> {
        Ok(self.lent()?.group().clone())
    }
}

/// Joins a group, off the main thread; ends when all processes have come.
#[napi(catch_unwind, ts_return_type = "Promise<ProcessGroup>")]
pub fn open_process_group(settings: GroupSettings) -> AsyncTask<Background<Group, ProcessGroup>> {
    let settings = Settings::from(settings);
    let finish = |_, group| Ok(ProcessGroup { lent: RefCell::new(Some(Arc::new(Lent::new(group)))) });
    AsyncTask::new(background(move || Group::open(&settings), finish))
}

#[napi]
impl ProcessGroup {
    /// This process's number, from 0.
    #[napi(catch_unwind)]
    pub fn rank(&self) -> napi::Result<u32> {
        Ok(self.lent()?.group().rank())
    }

    /// Processes in the group.
    #[napi(catch_unwind)]
    pub fn size(&self) -> napi::Result<u32> {
        Ok(self.lent()?.group().size())
    }

    /// Address of the table by which the light addon uses the group: valid until `close`, or until this object is collected.
    #[napi(catch_unwind)]
    pub fn table(&self) -> napi::Result<BigInt> {
        Ok(BigInt::from(std::ptr::from_ref(self.lent()?.table()) as usize as u64))
    }

    /// Replaces a tensor by what all ranks' tensors give together.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn all_reduce<'env>(
        &self,
        env: &'env Env,
        tensor: &NativeTensor,
        op: String,
    ) -> napi::Result<PromiseRaw<'env, ()>> {
        let (group, tensor, op) = (self.group()?, tensor.share()?, ReduceOp::parse(&op).js()?);
        promised(env, move |finished| group.all_reduce(&tensor, op, finished), |_, ()| Ok(()))
    }

    /// Replaces a tensor by that of one rank.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn broadcast<'env>(
        &self,
        env: &'env Env,
        tensor: &NativeTensor,
        src: u32,
    ) -> napi::Result<PromiseRaw<'env, ()>> {
        let (group, tensor) = (self.group()?, tensor.share()?);
        promised(env, move |finished| group.broadcast(&tensor, src, finished), |_, ()| Ok(()))
    }

    /// The tensors of all ranks.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<NativeTensor>>")]
    pub fn all_gather<'env>(
        &self,
        env: &'env Env,
        tensor: &NativeTensor,
    ) -> napi::Result<PromiseRaw<'env, Vec<NativeTensor>>> {
        let (group, tensor) = (self.group()?, tensor.share()?);
        promised(env, move |finished| group.all_gather(&tensor, finished), |env, all| wrap_all(env, Ok(all)))
    }

    /// Of one tensor for each rank, gives what all ranks' tensors for this rank give together.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeTensor>")]
    pub fn reduce_scatter<'env>(
        &self,
        env: &'env Env,
        list: TensorList<'_>,
        op: String,
    ) -> napi::Result<PromiseRaw<'env, NativeTensor>> {
        let (group, list, op) = (self.group()?, tensors(&list)?, ReduceOp::parse(&op).js()?);
        promised(env, move |finished| group.reduce_scatter(&list, op, finished), |env, own| wrap(env, Ok(own)))
    }

    /// Ends when all ranks have come here.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn barrier<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        let group = self.group()?;
        promised(env, move |finished| group.barrier(finished), |_, ()| Ok(()))
    }

    /// Any number of bytes of each rank, off the main thread.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<Uint8Array>>")]
    pub fn all_gather_bytes(
        &self,
        bytes: Uint8Array,
    ) -> napi::Result<AsyncTask<Background<Vec<Vec<u8>>, Vec<Uint8Array>>>> {
        let (lent, bytes) = (self.lent()?, bytes.to_vec());
        let work = move || {
            // SAFETY: the table lives in `lent`, which owns the group.
            let ranks = unsafe { Collective::from_address(std::ptr::from_ref(lent.table()) as usize as u64) }?;
            ranks.all_gather_parts(&bytes)
        };
        let finish = |_, parts: Vec<Vec<u8>>| Ok(parts.into_iter().map(Uint8Array::new).collect());
        Ok(AsyncTask::new(background(work, finish)))
    }

    /// Ends the group in this process. Ranks that wait for this one get an error.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn close(&self) -> AsyncTask<Background<(), ()>> {
        let lent = self.lent.take();
        let work = move || {
            if let Some(lent) = lent {
                lent.group().close();
            }
            Ok(())
        };
        AsyncTask::new(background(work, |_, ()| Ok(())))
    }
}
