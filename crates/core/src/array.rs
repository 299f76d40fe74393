//! Named arrays: how engines, files and JavaScript exchange weights, optimizer states and checkpoints.

use std::ops::Deref;

use crate::error::{Error, ErrorCode, Result};

/// Element type of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// IEEE single precision.
    Float32,
    /// IEEE double precision.
    Float64,
    /// bfloat16: the upper half of a float32.
    BFloat16,
    /// Signed 8-byte integer.
    Int64,
    /// Signed 4-byte integer.
    Int32,
    /// Unsigned 4-byte integer.
    Uint32,
    /// Unsigned 1-byte integer.
    Uint8,
    /// Signed 1-byte integer.
    Int8,
    /// One byte, 0 or 1.
    Bool,
}

impl Dtype {
    /// Every element type.
    pub const ALL: [Self; 9] = [
        Self::Float32,
        Self::Float64,
        Self::BFloat16,
        Self::Int64,
        Self::Int32,
        Self::Uint32,
        Self::Uint8,
        Self::Int8,
        Self::Bool,
    ];

    /// PyTorch's name without `torch.`; JavaScript uses the same one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::BFloat16 => "bfloat16",
            Self::Int64 => "int64",
            Self::Int32 => "int32",
            Self::Uint32 => "uint32",
            Self::Uint8 => "uint8",
            Self::Int8 => "int8",
            Self::Bool => "bool",
        }
    }

    /// Looks up a type by its [`Dtype::name`].
    ///
    /// # Errors
    /// `InvalidDtype` for another name.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|dtype| dtype.name() == name)
            .ok_or_else(|| Error::new(ErrorCode::InvalidDtype, format!("arrays cannot have elements of type {name}")))
    }

    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Self::Float64 | Self::Int64 => 8,
            Self::Float32 | Self::Int32 | Self::Uint32 => 4,
            Self::BFloat16 => 2,
            Self::Uint8 | Self::Int8 | Self::Bool => 1,
        }
    }
}

/// A number type that [`NamedArray::values`] reads and [`NamedArray::of`] writes.
pub trait Element: Copy {
    /// The element type.
    const DTYPE: Dtype;

    /// Converts values to little-endian bytes.
    fn to_bytes(values: &[Self]) -> Vec<u8>;

    /// Copies values from little-endian bytes. Extra bytes or places are ignored.
    fn copy_from(bytes: &[u8], to: &mut [Self]);

    /// Converts little-endian bytes to values.
    fn from_bytes(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! element {
    ($type:ty, $dtype:ident) => {
        impl Element for $type {
            const DTYPE: Dtype = Dtype::$dtype;

            fn to_bytes(values: &[Self]) -> Vec<u8> {
                let mut bytes = vec![0; size_of_val(values)];
                let (to, _) = bytes.as_chunks_mut();
                to.iter_mut().zip(values).for_each(|(to, value)| *to = value.to_le_bytes());
                bytes
            }

            fn copy_from(bytes: &[u8], to: &mut [Self]) {
                let (from, _) = bytes.as_chunks();
                to.iter_mut().zip(from).for_each(|(to, &from)| *to = Self::from_le_bytes(from));
            }

            fn from_bytes(bytes: &[u8]) -> Vec<Self> {
                let (from, _) = bytes.as_chunks();
                from.iter().map(|&from| Self::from_le_bytes(from)).collect()
            }
        }
    };
}

element!(f32, Float32);
element!(f64, Float64);
element!(i32, Int32);
element!(u32, Uint32);
element!(u8, Uint8);
element!(i8, Int8);

/// A named array. `data` contains the elements in row-major order as little-endian bytes, owned or borrowed.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedArray<D = Vec<u8>> {
    /// Name, as in a PyTorch state dict.
    pub name: String,
    /// Type of the elements.
    pub dtype: Dtype,
    /// Sizes of the dimensions.
    pub shape: Vec<usize>,
    /// The bytes of the elements. Their number may not match the shape: see [`NamedArray::count`].
    pub data: D,
}

impl NamedArray {
    /// Creates an array from values.
    pub fn of<T: Element>(name: impl Into<String>, shape: Vec<usize>, values: &[T]) -> Self {
        Self { name: name.into(), dtype: T::DTYPE, shape, data: T::to_bytes(values) }
    }

    /// Creates an array of one dimension.
    pub fn list<T: Element>(name: impl Into<String>, values: &[T]) -> Self {
        Self::of(name, vec![values.len()], values)
    }
}

impl<D: Deref<Target = [u8]>> NamedArray<D> {
    /// Number of whole elements in the data.
    pub fn count(&self) -> usize {
        self.data.len() / self.dtype.size()
    }

    /// Number of elements that the shape needs; `None` if it overflows.
    pub fn numel(&self) -> Option<usize> {
        self.shape.iter().try_fold(1, |product: usize, &size| product.checked_mul(size))
    }

    /// The elements; `None` if they have another type.
    pub fn values<T: Element>(&self) -> Option<Vec<T>> {
        (self.dtype == T::DTYPE).then(|| T::from_bytes(&self.data))
    }

    /// Copies the elements to `to`. Returns false and copies nothing if the type or the number differs.
    #[must_use]
    pub fn copy_to<T: Element>(&self, to: &mut [T]) -> bool {
        let fits = self.dtype == T::DTYPE && self.count() == to.len();
        if fits {
            T::copy_from(&self.data, to);
        }
        fits
    }

    /// Checks that all float32 elements are finite; weights that are not make every prediction NaN. Other types pass.
    ///
    /// # Errors
    /// `InvalidFile`, which names the array.
    pub fn expect_finite(&self) -> Result<()> {
        // All bits of the exponent are set in infinities and NaNs, and nowhere else (IEEE 754-2019, 3.4).
        let finite = |&bytes: &[u8; 4]| u32::from_le_bytes(bytes) & 0x7f80_0000 != 0x7f80_0000;
        if self.dtype != Dtype::Float32 || self.data.as_chunks().0.iter().all(finite) {
            return Ok(());
        }
        let message =
            format!("array {:?} has numbers that are not finite; a model with such weights cannot predict", self.name);
        Err(Error::new(ErrorCode::InvalidFile, message))
    }

    /// The same array with borrowed bytes.
    pub fn borrowed(&self) -> NamedArray<&[u8]> {
        NamedArray { name: self.name.clone(), dtype: self.dtype, shape: self.shape.clone(), data: &self.data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_lead_back_to_them() {
        for dtype in Dtype::ALL {
            assert_eq!(Dtype::parse(dtype.name()).unwrap(), dtype);
        }
        assert_eq!(Dtype::parse("float16").unwrap_err().code(), ErrorCode::InvalidDtype);
    }

    #[test]
    fn numbers_that_are_not_finite_are_found_wherever_they_stand() {
        let found = |values: &[f32]| NamedArray::list("w", values).expect_finite().map_err(|error| error.code());
        assert_eq!(found(&[0.0, -0.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45]), Ok(()));
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(found(&[1.0, 2.0, bad]), Err(ErrorCode::InvalidFile), "{bad}");
        }
        assert_eq!(NamedArray::list("n", &[-1i32, 0x7f80_0000]).expect_finite(), Ok(()));
    }

    #[test]
    fn values_come_back_as_they_were_and_not_as_another_type() {
        let array = NamedArray::of("w", vec![2, 2], &[1.5f32, -0.0, f32::NAN, f32::MIN_POSITIVE]);
        assert_eq!((array.count(), array.numel()), (4, Some(4)));
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let expected = bits(vec![1.5, -0.0, f32::NAN, f32::MIN_POSITIVE]);
        assert_eq!(bits(array.values().unwrap()), expected);
        assert_eq!(array.values::<i32>(), None);
        let mut room = [0f32; 4];
        assert!(array.borrowed().copy_to(&mut room));
        assert_eq!(bits(room.to_vec()), expected);
        assert!(!array.copy_to(&mut [0f32; 3]) && !array.copy_to(&mut [0i32; 4]));
        assert_eq!(NamedArray::list("n", &[1i32, -1]).data, [1, 0, 0, 0, 255, 255, 255, 255]);
        assert_eq!(NamedArray::<Vec<u8>> { shape: vec![usize::MAX, 2], ..array }.numel(), None);
    }
}
