//! A separate random generator: a seeded model neither reads nor advances libtorch's global one.

use crate::Result;
use crate::error::IntoResult;
use crate::shim::{self, GeneratorHandle, check, handle};
use std::ptr;
use tch::{Device, Tensor};

/// A generator with the numbers of `torch.Generator(device).manual_seed(seed)`.
pub struct Generator {
    handle: GeneratorHandle,
}

// SAFETY: libtorch locks the generator's mutex in every kernel that draws from it, and the handle is owned.
unsafe impl Send for Generator {}

impl Generator {
    /// Makes a generator on a device.
    pub fn new(device: Device, seed: i64) -> Result<Self> {
        let index = match device {
            Device::Cuda(index) => index as i32,
            _ => -1,
        };
        let mut handle = ptr::null_mut();
        // SAFETY: `handle` is a local that the shim writes on success.
        check(unsafe { shim::recurra_generator_new(index, seed as u64, &mut handle) })?;
        Ok(Self { handle })
    }

    /// Continues as one that was just made with this seed; the host does not wait for a GPU.
    pub fn reseed(&mut self, seed: u64) -> Result<()> {
        // SAFETY: an owned generator handle.
        check(unsafe { shim::recurra_generator_seed(self.handle, seed) })
    }

    /// Fills a tensor from the normal distribution.
    pub fn normal(&mut self, tensor: &Tensor, mean: f64, std: f64) -> Result<()> {
        // SAFETY: borrowed tensor handle and owned generator handle.
        check(unsafe { shim::recurra_normal_(handle(tensor), mean, std, self.handle) })
    }

    /// Fills a tensor from the uniform distribution over `from..to`.
    pub fn uniform(&mut self, tensor: &Tensor, from: f64, to: f64) -> Result<()> {
        // SAFETY: borrowed tensor handle and owned generator handle.
        check(unsafe { shim::recurra_uniform_(handle(tensor), from, to, self.handle) })
    }

    /// Dropout as `torch.nn.functional.dropout` in training: zeroes elements with probability `p`, scales the others.
    pub fn dropout(&mut self, input: &Tensor, p: f64) -> Result<Tensor> {
        if p == 0.0 {
            return Ok(input.shallow_clone());
        }
        if p == 1.0 {
            return input.f_mul_scalar(0.0).torch();
        }
        let mut mask = input.detach().f_empty_like().torch()?;
        // SAFETY: borrowed tensor handle and owned generator handle.
        check(unsafe { shim::recurra_bernoulli_(handle(&mask), 1.0 - p, self.handle) })?;
        let mask = mask.f_div_scalar_(1.0 - p).torch()?;
        input.f_mul(&mask).torch()
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        // SAFETY: the handle came from `recurra_generator_new` and is freed once.
        unsafe { shim::recurra_generator_free(self.handle) }
    }
}
