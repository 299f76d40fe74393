//! Kinds of recurrent cells.

use crate::error::{Error, ErrorCode, Result};

/// A kind of recurrent cell, with PyTorch's order of gates. The number identifies it in the C++ shim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Cell {
    /// `h' = tanh(W x + b + U h + c)`.
    RnnTanh = 0,
    /// `h' = relu(W x + b + U h + c)`.
    RnnRelu = 1,
    /// Gates i, f, g, o.
    Lstm = 2,
    /// Gates r, z, n. As in PyTorch, the reset gate is applied after the matrix product.
    Gru = 3,
    /// Gates z, n, computed from the input only: minGRU of Feng et al. (2024). libtorch does not have it.
    MinGru = 4,
}

impl Cell {
    /// Every cell, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::RnnTanh, Self::RnnRelu, Self::Lstm, Self::Gru, Self::MinGru];

    /// The number that identifies the cell in the C++ shim.
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// Looks up a cell by its [`Cell::code`].
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|cell| cell.code() == code)
    }

    /// Number of gates: of `hiddenSize` blocks in a weight matrix.
    pub const fn gates(self) -> usize {
        match self {
            Self::RnnTanh | Self::RnnRelu => 1,
            Self::Lstm => 4,
            Self::Gru => 3,
            Self::MinGru => 2,
        }
    }

    /// Number of state vectors carried from step to step: h, and c for the LSTM.
    pub const fn states(self) -> usize {
        match self {
            Self::Lstm => 2,
            Self::RnnTanh | Self::RnnRelu | Self::Gru | Self::MinGru => 1,
        }
    }

    /// Name of the cell in model options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RnnTanh => "rnn",
            Self::RnnRelu => "rnn_relu",
            Self::Lstm => "lstm",
            Self::Gru => "gru",
            Self::MinGru => "mingru",
        }
    }

    /// Looks up a cell by its [`Cell::name`].
    ///
    /// # Errors
    /// `InvalidArgument` for another name.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|cell| cell.name() == name);
        found.ok_or_else(|| Error::new(ErrorCode::InvalidArgument, format!("there is no cell '{name}'")).about("cell"))
    }

    /// PyTorch's name of the cell in `torch.nn.RNNBase`; `None` if libtorch does not have the cell.
    pub const fn torch_mode(self) -> Option<&'static str> {
        match self {
            Self::RnnTanh => Some("RNN_TANH"),
            Self::RnnRelu => Some("RNN_RELU"),
            Self::Lstm => Some("LSTM"),
            Self::Gru => Some("GRU"),
            Self::MinGru => None,
        }
    }

    /// Looks up a cell by its [`Cell::torch_mode`].
    pub fn from_torch_mode(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cell| cell.torch_mode() == Some(name))
    }

    /// Checks that libtorch has this cell.
    ///
    /// # Errors
    /// `InvalidArgument` for a cell that only the CPU kernels compute.
    pub fn in_libtorch(self) -> Result<()> {
        match self.torch_mode() {
            Some(_) => Ok(()),
            None => Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("libtorch has no cell '{}': it runs on the CPU kernels only", self.name()),
            )
            .about("cell")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_lead_back_to_the_cell() {
        for cell in Cell::ALL {
            assert_eq!(Cell::from_code(cell.code()), Some(cell));
            assert_eq!(Cell::parse(cell.name()), Ok(cell));
            let name = cell.torch_mode();
            assert!(name.is_none_or(|name| Cell::from_torch_mode(name) == Some(cell)));
            assert_eq!(cell.in_libtorch().is_ok(), name.is_some());
        }
        assert_eq!(Cell::from_code(Cell::ALL.len() as i32), None);
        assert_eq!(Cell::from_torch_mode("lstm"), None);
    }
}
