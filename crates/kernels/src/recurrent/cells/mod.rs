//! The recurrent cells, one file each. A further one is a file here, a line in [`of`] and a variant of [`Cell`].

mod fused;
mod gru;
pub(crate) mod kernel;
mod lstm;
mod mingru;
mod rnn;
pub(crate) mod through;
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
        Cell::MinGru => &mingru::MinGru,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_are_those_that_other_engines_go_by() {
        for cell in Cell::ALL {
            let facts = of(cell).facts();
            assert_eq!(facts.gates, cell.gates(), "{cell:?}");
            assert_eq!(1 + usize::from(facts.cell_state), cell.states(), "{cell:?}");
        }
    }
}
