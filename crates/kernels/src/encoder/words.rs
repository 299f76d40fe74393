//! The vectors of all words as prediction reads them: single floats, or the codes of a compressed model.

#[cfg(feature = "codes")]
pub(crate) use recurra_codes::Coded;

/// What the projections that are kept of words may take, and those of a compressed model's words.
const TABLE_BYTES: usize = 256 << 20;
const CODED_BYTES: usize = 16 << 20;

/// Without the feature there are no codes.
#[cfg(not(feature = "codes"))]
pub(crate) enum Coded {}

#[cfg(not(feature = "codes"))]
impl Coded {
    pub fn bytes(&self) -> usize {
        match *self {}
    }

    pub fn rows(&self) -> usize {
        match *self {}
    }

    pub fn dims(&self) -> usize {
        match *self {}
    }

    pub fn decode(&self) -> recurra_core::Result<Vec<f32>> {
        match *self {}
    }

    pub fn row_into(&self, _: usize, _: &mut [f32]) {
        match *self {}
    }
}

/// The vectors of all words, `[rows, dims]`.
#[derive(Clone, Copy)]
pub(crate) struct WordRows<'a> {
    pub values: Values<'a>,
    pub rows: usize,
    pub dims: usize,
}

/// What they are read from.
#[derive(Clone, Copy)]
pub(crate) enum Values<'a> {
    /// Singles, `stride` from one row to the next.
    Singles {
        values: &'a [f32],
        stride: usize,
    },
    Coded(&'a Coded),
}

impl<'a> WordRows<'a> {
    /// Rows of codes where there are any, else of singles that lie side by side.
    pub fn of(values: &'a [f32], coded: Option<&'a Coded>, [rows, dims]: [usize; 2]) -> Self {
        let values = coded.map_or(Values::Singles { values, stride: dims }, Values::Coded);
        Self { values, rows, dims }
    }

    /// Writes one of them to `to`, which is as wide.
    #[inline]
    pub fn row_into(&self, row: usize, to: &mut [f32]) {
        match self.values {
            Values::Singles { values, stride } => to.copy_from_slice(&values[row * stride..][..self.dims]),
            Values::Coded(coded) => coded.row_into(row, to),
        }
    }

    /// Whether they are coded.
    pub fn coded(&self) -> bool {
        matches!(self.values, Values::Coded(_))
    }

    /// Bytes that the projections kept of them may take.
    pub fn most_bytes(&self) -> usize {
        match self.values {
            Values::Singles { .. } => TABLE_BYTES,
            Values::Coded(_) => CODED_BYTES,
        }
    }
}
