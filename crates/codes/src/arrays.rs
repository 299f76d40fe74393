//! Coded matrices among the arrays of a file. Sizes in the file are checked before they are used.

use std::ops::Deref;

use recurra_core::{Dtype, Element, NamedArray};

use crate::bfloat16::single;
use crate::coded::{Coded, Kind};
use crate::product::Product;
use crate::{Result, damaged};

/// Suffix of a coded matrix's main array, for each code.
const CODE_SUFFIXES: [&str; 3] = [".int8", ".int4", ".product"];
/// Suffixes of the other arrays of a coded matrix.
const OTHER_SUFFIXES: [&str; 5] = [".scale", ".dims", ".centres", ".norm", ".lengths"];

/// Maximum part width of a product code.
const MAX_WIDTH: usize = 16;

/// An array as the model sees it, coded or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Size in bytes; for a coded matrix, that of its float32 form.
    pub bytes: usize,
}

/// Lists the arrays of a model. A coded matrix counts as one array, even if it is stored as several.
///
/// # Errors
/// `InvalidFile` for an incomplete coded matrix.
pub fn listed<D: Deref<Target = [u8]>>(arrays: &[NamedArray<D>]) -> Result<Vec<Listed>> {
    let names = coded_names(arrays);
    let mut found = Vec::with_capacity(arrays.len());
    for array in arrays {
        if let Some((name, _)) = owner(&array.name, &names) {
            if CODE_SUFFIXES.iter().any(|code| array.name == format!("{name}{code}")) {
                let [rows, dims] = Parts { arrays, name }.shape()?;
                found.push(Listed {
                    name: name.into(),
                    shape: vec![rows, dims],
                    bytes: rows.saturating_mul(dims).saturating_mul(4),
                });
            }
            continue;
        }
        found.push(Listed { name: array.name.clone(), shape: array.shape.clone(), bytes: array.data.len() });
    }
    Ok(found)
}

/// Names of the coded matrices.
fn coded_names<D: Deref<Target = [u8]>>(arrays: &[NamedArray<D>]) -> Vec<String> {
    let name =
        |array: &NamedArray<D>| CODE_SUFFIXES.iter().find_map(|code| array.name.strip_suffix(code).map(str::to_owned));
    arrays.iter().filter_map(name).collect()
}

/// The coded matrix that an array belongs to, and the array's suffix.
fn owner<'a>(array: &str, names: &'a [String]) -> Option<(&'a str, &'static str)> {
    CODE_SUFFIXES.iter().chain(&OTHER_SUFFIXES).find_map(|&what| {
        let name = array.strip_suffix(what)?;
        names.iter().find(|other| *other == name).map(|name| (name.as_str(), what))
    })
}

/// Takes the coded matrix `name` out of the arrays, if it exists.
///
/// # Errors
/// `InvalidFile` for an incomplete one.
pub fn take<D: Deref<Target = [u8]>>(arrays: &mut Vec<NamedArray<D>>, name: &str) -> Result<Option<Coded>> {
    let names = coded_names(arrays);
    if !names.iter().any(|other| other == name) {
        return Ok(None);
    }
    let coded = from_arrays(arrays, name)?;
    arrays.retain(|array| owner(&array.name, &names).is_none_or(|(of, _)| of != name));
    Ok(Some(coded))
}

/// The arrays, with coded matrices decoded to float32.
///
/// # Errors
/// `InvalidFile` for an incomplete one; `OutOfMemory`.
pub fn widened<D: Deref<Target = [u8]>>(arrays: &[NamedArray<D>]) -> Result<Vec<NamedArray>> {
    let names = coded_names(arrays);
    let mut found = Vec::with_capacity(arrays.len());
    for array in arrays {
        match owner(&array.name, &names) {
            None => found.push(NamedArray {
                name: array.name.clone(),
                dtype: array.dtype,
                shape: array.shape.clone(),
                data: array.data.to_vec(),
            }),
            Some((name, what)) if CODE_SUFFIXES.contains(&what) => {
                let coded = from_arrays(arrays, name)?;
                found.push(NamedArray::of(name, vec![coded.rows, coded.dims], &coded.decode()?));
            }
            Some(_) => {}
        }
    }
    Ok(found)
}

/// The stored arrays of one coded matrix.
struct Parts<'a, D> {
    arrays: &'a [NamedArray<D>],
    name: &'a str,
}

impl<'a, D: Deref<Target = [u8]>> Parts<'a, D> {
    /// The array with a suffix; checks its type. `None` if it is missing.
    fn find(&self, what: &str, dtype: Dtype) -> Result<Option<&'a NamedArray<D>>> {
        let name = format!("{}{what}", self.name);
        let mut found = self.arrays.iter().filter(|array| array.name == name);
        let Some(array) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(damaged(format!("array {name} occurs twice")));
        }
        if array.dtype != dtype {
            return Err(damaged(format!("array {name} must be {}, not {}", dtype.name(), array.dtype.name())));
        }
        if array.numel().and_then(|count| count.checked_mul(dtype.size())) != Some(array.data.len()) {
            let (shape, bytes) = (&array.shape, array.data.len());
            return Err(damaged(format!("array {name} of shape {shape:?} has {bytes} bytes, which do not fit")));
        }
        Ok(Some(array))
    }

    /// Rows and columns, derived from the shapes of the arrays.
    fn shape(&self) -> Result<[usize; 2]> {
        let name = self.name;
        let stored =
            [self.find(".int8", Dtype::Int8)?, self.find(".int4", Dtype::Uint8)?, self.find(".product", Dtype::Uint8)?];
        let codes = match stored {
            [Some(codes), None, None] | [None, Some(codes), None] | [None, None, Some(codes)] => codes,
            _ => return Err(damaged(format!("the matrix {name} is there in several codes"))),
        };
        let [rows, bytes] = match codes.shape[..] {
            [rows, bytes] if rows > 0 && bytes > 0 => [rows, bytes],
            _ => {
                let shape = &codes.shape;
                return Err(damaged(format!("array {} must have two sizes above 0, not {shape:?}", codes.name)));
            }
        };
        match stored {
            [Some(_), ..] => Ok([rows, bytes]),
            [_, Some(_), _] => {
                let dims = self.need(".dims", Dtype::Uint32, &[1])?.values::<u32>().unwrap_or_default()[0] as usize;
                if dims.div_ceil(2) == bytes {
                    return Ok([rows, dims]);
                }
                Err(damaged(format!("array {name}.dims names {dims} numbers for {bytes} bytes")))
            }
            _ => {
                let centres = self.find(".centres", Dtype::BFloat16)?;
                match centres.map(|centres| &centres.shape[..]) {
                    Some(&[parts, 256, width]) if parts == bytes && (1..=MAX_WIDTH).contains(&width) => {
                        Ok([rows, bytes * width])
                    }
                    shape => {
                        let message = format!(
                            "array {name}.centres must have the shape [{bytes}, 256, 1 to {MAX_WIDTH}], not {shape:?}"
                        );
                        Err(damaged(message))
                    }
                }
            }
        }
    }

    fn need(&self, what: &str, dtype: Dtype, shape: &[usize]) -> Result<&'a NamedArray<D>> {
        let array = self.find(what, dtype)?.ok_or_else(|| damaged(format!("array {}{what} is missing", self.name)))?;
        if array.shape != shape {
            let (name, found) = (self.name, &array.shape);
            return Err(damaged(format!("array {name}{what} must have the shape {shape:?}, not {found:?}")));
        }
        Ok(array)
    }

    /// bfloat16 values, which must be finite and at most 1e30 in magnitude.
    fn halves(&self, what: &str, shape: &[usize], from_zero: bool) -> Result<Vec<u16>> {
        let data = &self.need(what, Dtype::BFloat16, shape)?.data;
        let values: Vec<u16> = data.as_chunks::<2>().0.iter().map(|&bytes| u16::from_le_bytes(bytes)).collect();
        let fits = |value: f32| value.abs() <= 1e30 && !(from_zero && value < 0.0);
        match values.iter().map(|&value| single(value)).find(|&value| !fits(value)) {
            Some(value) => Err(damaged(format!("array {}{what} has the number {value}", self.name))),
            None => Ok(values),
        }
    }
}

/// The coded matrix `name`.
fn from_arrays<D: Deref<Target = [u8]>>(arrays: &[NamedArray<D>], name: &str) -> Result<Coded> {
    let parts = Parts { arrays, name };
    let [rows, dims] = parts.shape()?;
    let kind = if let Some(codes) = parts.find(".int8", Dtype::Int8)? {
        Kind::Int8 { codes: i8::from_bytes(&codes.data), scales: parts.halves(".scale", &[rows], true)? }
    } else if let Some(codes) = parts.find(".int4", Dtype::Uint8)? {
        Kind::Int4 { codes: codes.data.to_vec(), scales: parts.halves(".scale", &[rows], true)? }
    } else {
        let codes = parts.find(".product", Dtype::Uint8)?.map(|codes| codes.data.to_vec()).unwrap_or_default();
        let each = codes.len() / rows;
        let width = dims / each;
        let centres = parts.halves(".centres", &[each, 256, width], false)?;
        let norms = parts.need(".norm", Dtype::Uint8, &[rows])?.data.to_vec();
        let lengths = parts.halves(".lengths", &[256], true)?;
        Kind::Product(Product { width, codes, centres, norms, lengths })
    };
    Ok(Coded { rows, dims, kind })
}
