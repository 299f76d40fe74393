//! The recurrent cells, one file each. A further one is a file here, a line in [`of`] and a variant of [`Cell`].

mod gru;
pub(crate) mod kernel;
mod lstm;
mod rnn;
mod through;
mod time;

use kernel::AnyCell;

use recurra_core::Cell;

/// What computes a cell. It is chosen once a call, not inside a loop.
pub(crate) fn of(cell: Cell) -> &'static dyn AnyCell {
    match cell {
        Cell::RnnTanh => &rnn::Tanh,
        Cell::RnnRelu => &rnn::Relu,
        Cell::Lstm => &lstm::Lstm,
        Cell::Gru => &gru::Gru,
    }
}
