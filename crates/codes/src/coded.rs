//! Matrices stored with few bits per number.

use recurra_core::{Dtype, NamedArray};

use crate::product::Product;
use crate::scalar::{LARGEST_4, LARGEST_8, decode_4, decode_8, encode_4, encode_8, scale};
use crate::{Error, ErrorCode, Result, room};

/// How the numbers of a matrix are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// 8 bits per number and one scale per row.
    Int8,
    /// 4 bits per number and one scale per row.
    Int4,
    /// One byte per `width` numbers and one for the row's norm.
    Product {
        /// Number of values coded in one byte.
        width: usize,
    },
}

impl Code {
    /// The name in files and reports.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Int8 => "int8".into(),
            Self::Int4 => "int4".into(),
            Self::Product { width } => format!("product{width}"),
        }
    }

    /// Bits per number, without the per-row data.
    #[must_use]
    pub fn bits(self) -> f64 {
        match self {
            Self::Int8 => 8.0,
            Self::Int4 => 4.0,
            Self::Product { width } => 8.0 / width as f64,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Int8 { codes: Vec<i8>, scales: Vec<u16> },
    Int4 { codes: Vec<u8>, scales: Vec<u16> },
    Product(Product),
}

/// A matrix `[rows, dims]` with few bits per number.
#[derive(Clone, Debug, PartialEq)]
pub struct Coded {
    pub(crate) rows: usize,
    pub(crate) dims: usize,
    pub(crate) kind: Kind,
}

/// A bfloat16 array from raw bits.
pub(crate) fn halves(name: String, shape: Vec<usize>, values: &[u16]) -> NamedArray {
    let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    NamedArray { name, dtype: Dtype::BFloat16, shape, data }
}

impl Coded {
    /// Codes `values`, `[rows, dims]`.
    ///
    /// # Arguments
    /// `weights`: one per row, at least 0. Product codes approximate rows with a larger weight more closely; the other
    /// codes ignore them.
    ///
    /// # Errors
    /// `InvalidShape` if the sizes do not match or `dims` is not a multiple of the width; `InvalidArgument` for a
    /// number that is not finite; `OutOfMemory`.
    pub fn encode(values: &[f32], dims: usize, code: Code, weights: &[f32]) -> Result<Self> {
        let rows = weights.len();
        if rows.checked_mul(dims) != Some(values.len()) || dims == 0 {
            let message = format!("{} values do not make {rows} rows of {dims}", values.len());
            return Err(Error::new(ErrorCode::InvalidShape, message));
        }
        if values.iter().any(|value| !value.is_finite() || value.abs() > 1e30) {
            let message = "a model whose weights are not finite numbers below 1e30 cannot be compressed";
            return Err(Error::new(ErrorCode::InvalidArgument, message));
        }
        let each = values.chunks_exact(dims);
        let kind = match code {
            Code::Int8 => {
                let (mut codes, mut scales) = (room(values.len())?, room(rows)?);
                for row in each {
                    scales.push(scale(row, LARGEST_8));
                    encode_8(row, scales[scales.len() - 1], &mut codes);
                }
                Kind::Int8 { codes, scales }
            }
            Code::Int4 => {
                let (mut codes, mut scales) = (room(rows * dims.div_ceil(2))?, room(rows)?);
                for row in each {
                    scales.push(scale(row, LARGEST_4));
                    encode_4(row, scales[scales.len() - 1], &mut codes);
                }
                Kind::Int4 { codes, scales }
            }
            Code::Product { width } => {
                if width == 0 || !dims.is_multiple_of(width) {
                    let message = format!("rows of {dims} numbers do not fall into parts of {width}");
                    return Err(Error::new(ErrorCode::InvalidShape, message));
                }
                Kind::Product(Product::encode(values, dims, width, weights)?)
            }
        };
        Ok(Self { rows, dims, kind })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// The code of the matrix.
    #[must_use]
    pub fn code(&self) -> Code {
        match &self.kind {
            Kind::Int8 { .. } => Code::Int8,
            Kind::Int4 { .. } => Code::Int4,
            Kind::Product(product) => Code::Product { width: product.width },
        }
    }

    /// Memory in use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.kind {
            Kind::Int8 { codes, scales } => codes.len() + 2 * scales.len(),
            Kind::Int4 { codes, scales } => codes.len() + 2 * scales.len(),
            Kind::Product(Product { codes, centres, norms, lengths, .. }) => {
                codes.len() + norms.len() + 2 * (centres.len() + lengths.len())
            }
        }
    }

    /// Decodes a row into `to`, which has [`Coded::dims`] elements.
    ///
    /// # Panics
    /// If the row is out of range, or `to` has another size.
    #[inline]
    pub fn row_into(&self, row: usize, to: &mut [f32]) {
        assert!(row < self.rows && to.len() == self.dims);
        match &self.kind {
            Kind::Int8 { codes, scales } => decode_8(&codes[row * self.dims..][..self.dims], scales[row], to),
            Kind::Int4 { codes, scales } => {
                let bytes = self.dims.div_ceil(2);
                decode_4(&codes[row * bytes..][..bytes], scales[row], to);
            }
            Kind::Product(product) => product.decode(row, to),
        }
    }

    /// A matrix of some rows, in the same code with the same centres.
    ///
    /// # Errors
    /// `OutOfMemory`.
    ///
    /// # Panics
    /// If a row is out of range.
    pub fn rows_of(&self, rows: &[u32]) -> Result<Self> {
        fn some<T: Copy>(from: &[T], each: usize, rows: &[u32]) -> Result<Vec<T>> {
            let mut found = room(rows.len() * each)?;
            rows.iter().for_each(|&row| found.extend_from_slice(&from[row as usize * each..][..each]));
            Ok(found)
        }
        let kind = match &self.kind {
            Kind::Int8 { codes, scales } => {
                Kind::Int8 { codes: some(codes, self.dims, rows)?, scales: some(scales, 1, rows)? }
            }
            Kind::Int4 { codes, scales } => {
                Kind::Int4 { codes: some(codes, self.dims.div_ceil(2), rows)?, scales: some(scales, 1, rows)? }
            }
            Kind::Product(product) => Kind::Product(Product {
                codes: some(&product.codes, self.dims / product.width, rows)?,
                norms: some(&product.norms, 1, rows)?,
                ..product.clone()
            }),
        };
        Ok(Self { rows: rows.len(), dims: self.dims, kind })
    }

    /// Decodes all rows.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn decode(&self) -> Result<Vec<f32>> {
        let mut values = room(self.rows * self.dims)?;
        values.resize(self.rows * self.dims, 0.0);
        values.chunks_exact_mut(self.dims).enumerate().for_each(|(row, to)| self.row_into(row, to));
        Ok(values)
    }

    /// The matrix as arrays, whose names start with `name`.
    #[must_use]
    pub fn to_arrays(&self, name: &str) -> Vec<NamedArray> {
        let (rows, dims) = (self.rows, self.dims);
        match &self.kind {
            Kind::Int8 { codes, scales } => vec![
                NamedArray::of(format!("{name}.int8"), vec![rows, dims], codes),
                halves(format!("{name}.scale"), vec![rows], scales),
            ],
            Kind::Int4 { codes, scales } => vec![
                NamedArray::of(format!("{name}.int4"), vec![rows, dims.div_ceil(2)], codes),
                // `dims` must be stored: with an odd number, the last byte of a row contains only one.
                NamedArray::of(format!("{name}.dims"), vec![1], &[dims as u32]),
                halves(format!("{name}.scale"), vec![rows], scales),
            ],
            Kind::Product(product) => {
                let parts = dims / product.width;
                vec![
                    NamedArray::of(format!("{name}.product"), vec![rows, parts], &product.codes),
                    halves(format!("{name}.centres"), vec![parts, 256, product.width], &product.centres),
                    NamedArray::of(format!("{name}.norm"), vec![rows], &product.norms),
                    halves(format!("{name}.lengths"), vec![product.lengths.len()], &product.lengths),
                ]
            }
        }
    }
}

#[cfg(test)]
mod tests;
