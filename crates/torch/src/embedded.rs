//! The output of an embedding that is not written out until it is read.
//!
//! A recurrent layer on the kernels needs only the rows of the different words and which of them stands where; it
//! projects and differentiates each row once. So an embedding copies those rows, and the expansion to a tensor waits
//! until an operation wants one: between an embedding, packing and a recurrent layer none does. The copy makes the values
//! independent of later changes of the weight.

use crate::autograd::{GradMode, is_grad_enabled};
use crate::check::Ids;
use crate::error::IntoResult;
use crate::packing::Plan;
use crate::{Result, context, late, packing, shim};
use recurra_core::distinct::Distinct;
use recurra_kernels::recurrent::Table;
use std::cell::RefCell;
use std::slice;
use std::sync::Arc;
use tch::{Device, Kind, Tensor};

thread_local! {
    static DISTINCT: RefCell<Distinct> = RefCell::default();
}

/// Rows of a weight `[rows, dims]`, looked up by ids `[..]`: `[.., dims]`.
pub struct Embedded {
    /// Without its history where the result has none.
    weight: Tensor,
    records: bool,
    padding_idx: i64,
    words: Arc<Words>,
    /// For each position the number of its word.
    slots: Vec<u32>,
    /// The shape of the ids.
    leading: Vec<i64>,
}

/// The different words of a look-up.
struct Words {
    ids: Vec<i64>,
    table: Arc<Table>,
    /// Which of them gets no gradient.
    padding: Option<usize>,
}

impl Embedded {
    /// Looks ids up, which have been checked; `None` where that has to be done at once. The weight's missed steps are made
    /// up for the rows that are read.
    pub(crate) fn look_up(weight: &Tensor, ids: &Tensor, padding_idx: i64) -> Result<Option<Self>> {
        let grows = is_grad_enabled() && weight.requires_grad();
        if !context::fused_kernels() || !late::fits(weight) || (grows && !weight.f_is_leaf().torch()?) {
            return Ok(None);
        }
        let flat = ids.f_contiguous().torch()?;
        let Some(list) = Ids::of(&flat)?.filter(|_| flat.numel() < u32::MAX as usize) else {
            return Ok(None);
        };
        let size = weight.size();
        let (mut distinct, mut slots) = (Vec::new(), Vec::with_capacity(flat.numel()));
        DISTINCT.with_borrow_mut(|numbers| {
            numbers.begin(size[0] as usize);
            match list {
                Ids::Long(ids) => slots.extend(ids.iter().map(|&id| numbers.number(id as u32, &mut distinct))),
                Ids::Int(ids) => slots.extend(ids.iter().map(|&id| numbers.number(id as u32, &mut distinct))),
            }
        });
        late::catch_up(weight, &distinct)?;
        // SAFETY: `fits` says that it is a contiguous float32 tensor on the CPU; it is not written to while the slice lives.
        let values = unsafe { slice::from_raw_parts(weight.data_ptr().cast::<f32>().cast_const(), weight.numel()) };
        let table = Arc::new(Table::gather(values, size[1] as usize, &distinct)?);
        let padding = distinct.iter().position(|&id| i64::from(id) == padding_idx);
        let words = Words { ids: distinct.into_iter().map(i64::from).collect(), table, padding };
        Ok(Some(Self {
            weight: if grows { weight.shallow_clone() } else { weight.f_detach().torch()? },
            records: grows,
            padding_idx,
            words: Arc::new(words),
            slots,
            leading: ids.size(),
        }))
    }

    /// The shape of the tensor that it stands for.
    pub fn size(&self) -> Vec<i64> {
        let mut size = self.leading.clone();
        size.push(self.words.table.dims() as i64);
        size
    }

    /// A tensor of the same dtype and on the same device.
    pub fn like(&self) -> &Tensor {
        &self.weight
    }

    /// Writes it out, with the history that it was looked up with.
    pub fn tensor(&self) -> Result<Tensor> {
        let values = Tensor::f_empty(self.size().as_slice(), (Kind::Float, Device::Cpu)).torch()?;
        // SAFETY: a fresh contiguous float32 tensor.
        let to = unsafe { slice::from_raw_parts_mut(values.data_ptr().cast::<f32>(), values.numel()) };
        self.words.table.expand(&self.slots, to);
        if !self.records {
            return Ok(values);
        }
        let ids: Vec<i64> = self.slots.iter().map(|&slot| self.words.ids[slot as usize]).collect();
        let ids = Tensor::f_from_slice(&ids).torch()?.f_view(self.leading.as_slice()).torch()?;
        let _mode = GradMode::new(true);
        shim::embedding_rows(&self.weight, &values, &ids, self.padding_idx)
    }

    /// As [`packing::pack_padded_sequence`], still not written out.
    pub fn pack(&self, lengths: &[i32], batch_first: bool, sort: bool) -> Result<(Self, Plan)> {
        let size = self.size();
        let plan = packing::plan(&size, lengths, batch_first, sort)?;
        Ok((self.at(&plan.places(&size, batch_first)), plan))
    }

    /// Padded rows `[batch, steps, dims]`, or steps first, step by step.
    pub(crate) fn by_step(&self, batch_first: bool) -> Self {
        if !batch_first {
            return self.at(&(0..self.slots.len() as i64).collect::<Vec<_>>());
        }
        let (batch, steps) = (self.leading[0], self.leading[1]);
        let places = (0..steps).flat_map(|step| (0..batch).map(move |row| row * steps + step));
        self.at(&places.collect::<Vec<_>>())
    }

    fn at(&self, places: &[i64]) -> Self {
        Self {
            weight: self.weight.shallow_clone(),
            words: Arc::clone(&self.words),
            slots: places.iter().map(|&place| self.slots[place as usize]).collect(),
            leading: vec![places.len() as i64],
            ..*self
        }
    }

    pub(crate) fn ids(&self) -> &[i64] {
        &self.words.ids
    }

    pub(crate) fn padding(&self) -> Option<usize> {
        self.words.padding
    }

    pub(crate) fn table(&self) -> &Arc<Table> {
        &self.words.table
    }

    pub(crate) fn slots(&self) -> &[u32] {
        &self.slots
    }
}
