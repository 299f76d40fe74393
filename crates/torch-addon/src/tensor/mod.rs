//! `NativeTensor`: a handle on a libtorch tensor. Its operations stand in one file per subject.

mod autograd;
mod inplace;
mod ops;
mod reduce;
mod shape;

use crate::account;
use napi::Env;
use napi::bindgen_prelude::{ClassInstance, ObjectFinalize, Uint8Array};
use napi_derive::napi;
use recurra_binding::{IntoJs, to_js};
use recurra_torch::check::range_of;
use recurra_torch::context::{parse_device, parse_dtype};
use recurra_torch::embedded::Embedded;
use recurra_torch::functional::KnownRange;
use recurra_torch::late;
use recurra_torch::packing::Plan;
use recurra_torch::tensor::{convert, create, device_name, dtype_name, is_integer, version};
use recurra_torch::{Device, Error, ErrorCode, Result, Tensor};
use std::cell::{Cell, Ref, RefCell};
use std::sync::Arc;

enum Held {
    Ready {
        tensor: Tensor,
        storage: usize,
    },
    /// Written out when an operation wants a tensor.
    Later(Env, Embedded),
}

/// A handle on a libtorch tensor. Several handles may share one tensor, and several tensors one memory.
#[napi(custom_finalize)]
pub struct NativeTensor {
    held: RefCell<Option<Held>>,
    /// Smallest and largest of integers on a GPU, once they are known, and the tensor's version then.
    known: Cell<Option<(i64, i64, i64)>>,
    /// How its rows are packed; outlives the tensor.
    plan: Option<Arc<Plan>>,
}

/// A list of handles, as functions take it.
pub(crate) type TensorList<'env> = Vec<ClassInstance<'env, NativeTensor>>;

/// Makes a handle of a result.
pub(crate) fn wrap(env: Env, tensor: Result<Tensor>) -> napi::Result<NativeTensor> {
    let tensor = tensor.js()?;
    let storage = account::acquire(env, &tensor).js()?;
    Ok(NativeTensor { held: RefCell::new(Some(Held::Ready { tensor, storage })), known: Cell::new(None), plan: None })
}

/// Makes handles of several results.
pub(crate) fn wrap_all(env: Env, tensors: Result<Vec<Tensor>>) -> napi::Result<Vec<NativeTensor>> {
    tensors.js()?.into_iter().map(|tensor| wrap(env, Ok(tensor))).collect()
}

/// Second handles on the tensors of a list.
pub(crate) fn tensors(list: &TensorList<'_>) -> napi::Result<Vec<Tensor>> {
    list.iter().map(|handle| handle.share()).collect()
}

/// As [`tensors`], for what does not look at the elements.
pub(crate) fn unsettled(list: &TensorList<'_>) -> napi::Result<Vec<Tensor>> {
    list.iter().map(|handle| Ok(handle.peek()?.shallow_clone())).collect()
}

/// References to tensors, as the layer below takes them.
pub(crate) fn refs(tensors: &[Tensor]) -> Vec<&Tensor> {
    tensors.iter().collect()
}

fn disposed() -> napi::Error {
    to_js(Error::new(ErrorCode::Disposed, "this tensor was disposed; keep it with keep() or use it before dispose()"))
}

impl NativeTensor {
    /// The tensor, for as long as the call lasts. Steps of an optimizer that its memory has missed are made up first.
    pub(crate) fn get(&self) -> napi::Result<Ref<'_, Tensor>> {
        let tensor = self.peek()?;
        if late::pending() > 0
            && let Some(Held::Ready { storage, .. }) = &*self.held.borrow()
        {
            late::settle(*storage).js()?;
        }
        Ok(tensor)
    }

    /// The tensor for what does not look at its elements: missed steps stay missed.
    pub(crate) fn peek(&self) -> napi::Result<Ref<'_, Tensor>> {
        let written = match &*self.held.borrow() {
            Some(Held::Later(env, embedded)) => {
                let tensor = embedded.tensor().js()?;
                let storage = account::acquire(*env, &tensor).js()?;
                Some(Held::Ready { tensor, storage })
            }
            _ => None,
        };
        if written.is_some() {
            self.held.replace(written);
        }
        Ref::filter_map(self.held.borrow(), |held| match held {
            Some(Held::Ready { tensor, .. }) => Some(tensor),
            _ => None,
        })
        .map_err(|_| disposed())
    }

    /// A handle on what an embedding has looked up and not written out.
    pub(crate) fn later(env: Env, embedded: Embedded) -> Self {
        Self { held: RefCell::new(Some(Held::Later(env, embedded))), known: Cell::new(None), plan: None }
    }

    /// Notes how its rows are packed.
    pub(crate) fn pack_as(&mut self, plan: &Arc<Plan>) {
        self.plan = Some(Arc::clone(plan));
    }

    /// How its rows are packed, if packing or a recurrent layer made it.
    pub(crate) fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.as_ref()
    }

    /// Calls `use_it` if the tensor is not written out.
    pub(crate) fn deferred<R>(&self, use_it: impl FnOnce(&Embedded) -> R) -> Option<R> {
        match &*self.held.borrow() {
            Some(Held::Later(_, embedded)) => Some(use_it(embedded)),
            _ => None,
        }
    }

    /// Shape, and a tensor of the same dtype and on the same device.
    fn describe<R>(&self, of: impl Fn(&[i64], &Tensor) -> R) -> napi::Result<R> {
        if let Some(result) = self.deferred(|embedded| of(&embedded.size(), embedded.like())) {
            return Ok(result);
        }
        let tensor = self.peek()?;
        Ok(of(&tensor.size(), &tensor))
    }

    /// A second handle on the same tensor, which outlives the call.
    pub(crate) fn share(&self) -> napi::Result<Tensor> {
        Ok(self.get()?.shallow_clone())
    }

    /// Counts the memory again, after the tensor moved into another.
    pub(crate) fn recount(&self, env: Env) -> napi::Result<()> {
        if let Some(Held::Ready { tensor, storage }) = &mut *self.held.borrow_mut() {
            let now = account::acquire(env, tensor).js()?;
            account::release(env, std::mem::replace(storage, now));
        }
        Ok(())
    }

    /// Notes the range of integers on a GPU.
    pub(crate) fn remember(&self, range: KnownRange) -> napi::Result<()> {
        let version = version(&*self.peek()?).js()?;
        self.known.set(range.map(|(least, most)| (least, most, version)));
        Ok(())
    }

    /// The range of integers on a GPU, if it is known and they were not written to since.
    pub(crate) fn known_range(&self) -> napi::Result<KnownRange> {
        let Some((least, most, noted)) = self.known.get() else { return Ok(None) };
        Ok((version(&*self.peek()?).js()? == noted).then_some((least, most)))
    }

    fn free(&self, env: Env) {
        if let Some(Held::Ready { tensor, storage }) = self.held.take() {
            drop(tensor);
            account::release(env, storage);
        }
    }
}

impl ObjectFinalize for NativeTensor {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.free(env);
        Ok(())
    }
}

#[napi]
impl NativeTensor {
    /// A CPU tensor with a copy of the bytes (little-endian, row by row).
    #[napi(factory, catch_unwind)]
    pub fn from_bytes(env: Env, bytes: &[u8], dtype: String, shape: Vec<i64>) -> napi::Result<Self> {
        wrap(env, create::from_bytes(bytes, parse_dtype(&dtype).js()?, &shape))
    }

    /// The elements as bytes, row by row.
    #[napi(catch_unwind)]
    pub fn to_bytes(&self) -> napi::Result<Uint8Array> {
        Ok(Uint8Array::new(convert::to_bytes(&*self.get()?).js()?))
    }

    /// The one element.
    #[napi(catch_unwind)]
    pub fn item(&self) -> napi::Result<f64> {
        convert::item(&*self.get()?).js()
    }

    /// The sizes of the dimensions.
    #[napi(catch_unwind)]
    pub fn shape(&self) -> napi::Result<Vec<i64>> {
        self.describe(|size, _| size.to_vec())
    }

    /// The element type.
    #[napi(catch_unwind)]
    pub fn dtype(&self) -> napi::Result<String> {
        self.describe(|_, like| dtype_name(like.kind()))
    }

    /// The device.
    #[napi(catch_unwind)]
    pub fn device(&self) -> napi::Result<String> {
        self.describe(|_, like| device_name(like.device()))
    }

    /// The number of elements.
    #[napi(catch_unwind)]
    pub fn numel(&self) -> napi::Result<i64> {
        self.describe(|size, _| size.iter().product())
    }

    /// The same values without their history; shares memory.
    #[napi(catch_unwind)]
    pub fn detach(&self, env: Env) -> napi::Result<NativeTensor> {
        wrap(env, convert::detach(&*self.peek()?))
    }

    /// A copy that remains in the graph.
    #[napi(catch_unwind)]
    pub fn clone(&self, env: Env) -> napi::Result<NativeTensor> {
        wrap(env, convert::clone(&*self.get()?))
    }

    /// The values laid out row by row.
    #[napi(catch_unwind)]
    pub fn contiguous(&self, env: Env) -> napi::Result<NativeTensor> {
        wrap(env, convert::contiguous(&*self.get()?))
    }

    /// The values in another dtype.
    #[napi(catch_unwind)]
    pub fn to_dtype(&self, env: Env, dtype: String) -> napi::Result<NativeTensor> {
        wrap(env, convert::to_dtype(&*self.get()?, parse_dtype(&dtype).js()?))
    }

    /// The values on another device.
    #[napi(catch_unwind)]
    pub fn to_device(&self, env: Env, device: String) -> napi::Result<NativeTensor> {
        let tensor = self.get()?;
        let moved = wrap(env, convert::to_device(&tensor, parse_device(&device).js()?))?;
        // Ids are checked here, where it costs little, so that no later check waits for the GPU.
        if tensor.device() == Device::Cpu && is_integer(&tensor) && moved.peek()?.device().is_cuda() {
            moved.remember(range_of(&tensor).js()?)?;
        }
        Ok(moved)
    }

    /// A second handle on the same tensor.
    #[napi(catch_unwind)]
    pub fn alias(&self, env: Env) -> napi::Result<NativeTensor> {
        let tensor = self.peek()?.shallow_clone();
        wrap(env, Ok(tensor))
    }

    /// Lets go of the tensor; doing it again does nothing.
    #[napi(catch_unwind)]
    pub fn dispose(&self, env: Env) {
        self.free(env);
    }

    /// Whether the handle let go of its tensor.
    #[napi(catch_unwind)]
    pub fn is_disposed(&self) -> bool {
        self.held.borrow().is_none()
    }
}
