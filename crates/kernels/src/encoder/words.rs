//! The vectors of all words as prediction reads them: float32, or the codes of a compressed model.

#[cfg(feature = "codes")]
pub(crate) use recurra_codes::Coded;

/// Maximum size of kept projections, for float32 word vectors and for those of a compressed model. Tests reach less.
const TABLE_BYTES: usize = if cfg!(test) { 1 << 20 } else { 256 << 20 };
const CODED_BYTES: usize = 16 << 20;

/// Without the feature, there are no codes.
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

/// The source of word vectors.
#[derive(Clone, Copy)]
pub(crate) enum Values<'a> {
    /// float32 values, with `stride` between the starts of two rows.
    Singles {
        values: &'a [f32],
        stride: usize,
    },
    Coded(&'a Coded),
}

impl<'a> WordRows<'a> {
    /// Coded rows if there are any, otherwise contiguous float32 rows.
    pub fn of(values: &'a [f32], coded: Option<&'a Coded>, [rows, dims]: [usize; 2]) -> Self {
        let values = coded.map_or(Values::Singles { values, stride: dims }, Values::Coded);
        Self { values, rows, dims }
    }

    /// Writes a row to `to`.
    #[inline]
    pub fn row_into(&self, row: usize, to: &mut [f32]) {
        match self.values {
            Values::Singles { values, stride } => to.copy_from_slice(&values[row * stride..][..self.dims]),
            Values::Coded(coded) => coded.row_into(row, to),
        }
    }

    /// Whether the rows are coded.
    pub fn coded(&self) -> bool {
        matches!(self.values, Values::Coded(_))
    }

    /// Maximum size in bytes of the projections kept for them.
    pub fn most_bytes(&self) -> usize {
        match self.values {
            Values::Singles { .. } => TABLE_BYTES,
            Values::Coded(_) => CODED_BYTES,
        }
    }
}
