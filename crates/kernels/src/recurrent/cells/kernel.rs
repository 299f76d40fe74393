//! What a cell is to the rest of the network: some facts, one time step forward and one backward.
//!
//! A cell is a type without values that implements [`CellKernel`]; the loop over time is compiled for each, so that nothing
//! is chosen inside it. [`AnyCell`] is the same trait as a table of functions, for calls that do not know the type.

use crate::recurrent::packs::DirPacks;
use crate::recurrent::steps::{Projected, Steps};
use crate::simd::gemm::Mat;
use crate::simd::{Lanes, load};

/// How the old state enters the pre-activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recurrence {
    /// As a product that is added to the input's: `W x + b + U h + c`.
    Added,
    /// As a product separate from the input's, since the cell does more with it than add it.
    Apart,
    /// Not at all: the cell has no recurrent weights.
    None,
}

/// What the buffers, the packing and the names of the parameters depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// Blocks of `hidden_size` rows in a weight matrix.
    pub gates: usize,
    pub recurrence: Recurrence,
    /// Whether there is a second state, `c`.
    pub cell_state: bool,
    /// Whether the backward pass needs one more value of each unit and position than the gates and the old states.
    pub saves: bool,
    /// Whether the state may be projected to a smaller one.
    pub projects: bool,
}

impl Facts {
    /// A cell with one gate and nothing else to save.
    pub const PLAIN: Self =
        Self { gates: 1, recurrence: Recurrence::Added, cell_state: false, saves: false, projects: false };
}

/// One time step forward. Every matrix begins at the first of the `m` rows that run.
#[derive(Clone, Copy)]
pub(crate) struct StepForward {
    pub m: usize,
    /// Padded hidden size, which is the width of a gate.
    pub hp: usize,
    /// Whether a backward pass may follow; without it `gates` is scratch space.
    pub keep: bool,
    /// The input's part of the pre-activations, by [`StepForward::input`].
    pub x: Projected,
    pub position: usize,
    /// With [`Recurrence::Added`] the pre-activations. Receives the activations, where `keep` is set.
    pub gates: Mat,
    /// With [`Recurrence::Apart`] the recurrent part of the pre-activations.
    pub recurrent: Mat,
    /// Receives what [`Facts::saves`] is about, where `keep` is set.
    pub saved: Mat,
    /// The second state, updated.
    pub c: Mat,
    /// The old state. Receives the new one, unless it is to be projected: then another matrix receives it.
    pub h: Mat,
}

impl StepForward {
    /// The input's part of a row's pre-activations.
    ///
    /// # Safety
    /// The row must be below `m`.
    #[inline(always)]
    pub unsafe fn input(&self, row: usize) -> *const f32 {
        // SAFETY: by the caller's promise.
        unsafe { self.x.row(self.position + row) }
    }
}

/// One time step backward: from the gradient of the new state to those of the pre-activations and of the old state.
#[derive(Clone, Copy)]
pub(crate) struct StepBackward {
    pub m: usize,
    pub hp: usize,
    /// The activations.
    pub gates: Mat,
    pub hprev: Mat,
    pub cprev: Mat,
    pub saved: Mat,
    /// The gradient that comes from later steps. Receives the part of the old state's that does not go through the recurrent
    /// product, unless the recurrence is [`Recurrence::Added`].
    pub dh: Mat,
    /// The gradient of this step's output, where it exists.
    pub dy: Mat,
    /// Gradient of the second state, updated.
    pub dc: Mat,
    /// Receives the gradient of the pre-activations' input part; may be `gates` itself.
    pub dg: Mat,
    /// With [`Recurrence::Apart`] receives that of the recurrent part.
    pub dgh: Mat,
}

impl StepBackward {
    /// `dh + dy` at one place.
    ///
    /// # Safety
    /// The place must be inside.
    #[inline(always)]
    pub unsafe fn total<S: Lanes>(&self, s: S, row: usize, j: usize) -> S::f32s {
        // SAFETY: by the caller's promise.
        unsafe {
            let later = load(s, self.dh.row(row).add(j));
            if self.dy.exists() { s.add_f32s(later, load(s, self.dy.row(row).add(j))) } else { later }
        }
    }
}

/// The weights of one layer and direction, padded, as inference may pack them once more.
#[derive(Clone, Copy)]
pub(crate) struct InferenceWeights<'a> {
    pub w_ih: &'a [f32],
    pub w_hh: &'a [f32],
    /// Padded sizes: of the hidden state, of the state that goes round, and of the input.
    pub hp: usize,
    pub rp: usize,
    pub kp: usize,
    /// Whether inputs that are not yet projected will come too.
    pub input: bool,
    /// Whether a cell whose states are from -1 to 1 takes the recurrent ones in eight bits.
    pub codes: bool,
}

/// A recurrent cell. All widths are padded to whole vectors; padding lanes hold zero weights, so their state stays zero and
/// needs no mask.
pub(crate) trait CellKernel: Sync + 'static {
    const FACTS: Facts;

    /// One vectorised pass over the gates of a time step: from the pre-activations to the new state.
    ///
    /// # Safety
    /// All matrices must have `m` rows of their width and not be shared.
    unsafe fn forward<S: Lanes>(s: S, step: &StepForward);

    /// The same backward.
    ///
    /// # Safety
    /// As [`CellKernel::forward`].
    unsafe fn backward<S: Lanes>(s: S, step: &StepBackward);

    /// Forward over time where no backward pass follows, for a cell that has a faster way; it may differ from
    /// [`AnyCell::forward`] in the last bits. The promise is that of [`Steps`].
    const INFER: Option<unsafe fn(Steps<'_>, Projected)> = None;

    /// Packs what [`CellKernel::INFER`] reads in addition to the training's packs, if the state is not projected.
    fn pack_inference(_packs: &mut DirPacks, _weights: &InferenceWeights<'_>) {}

    /// Whether inference takes recurrent weights in eight bits: states are from -1 to 1.
    const CODES: bool = false;

    /// Whether inference of `rows` rows reads its input directly, without a projection beforehand.
    fn infers_from_inputs(_packs: &DirPacks, _rows: usize) -> bool {
        false
    }
}

/// [`CellKernel`] without its type.
pub(crate) trait AnyCell: Sync {
    fn facts(&self) -> Facts;

    /// Forward over time, in training. The states must be set before; they end as the final ones.
    ///
    /// # Safety
    /// As [`Steps`].
    unsafe fn forward(&self, steps: Steps<'_>, x: Projected);

    /// As [`CellKernel::INFER`], or as [`AnyCell::forward`] without it.
    ///
    /// # Safety
    /// As [`Steps`].
    unsafe fn infer(&self, steps: Steps<'_>, x: Projected);

    /// Backward over time. `dh` and `dc` must hold the gradients of the final states; they end as those of the initial ones.
    ///
    /// # Safety
    /// As [`Steps`].
    #[cfg(feature = "training")]
    unsafe fn backward(&self, steps: Steps<'_>);

    /// One time step, whose products are computed already: as [`CellKernel::forward`].
    ///
    /// # Safety
    /// As there.
    unsafe fn step(&self, step: &StepForward);

    /// The same backward, before its products: as [`CellKernel::backward`].
    ///
    /// # Safety
    /// As there.
    #[cfg(feature = "training")]
    unsafe fn step_back(&self, step: &StepBackward);

    /// As [`CellKernel::pack_inference`].
    fn pack_inference(&self, packs: &mut DirPacks, weights: &InferenceWeights<'_>);

    /// As [`CellKernel::CODES`].
    fn takes_codes(&self) -> bool;

    /// As [`CellKernel::infers_from_inputs`].
    fn infers_from_inputs(&self, packs: &DirPacks, rows: usize) -> bool;
}
