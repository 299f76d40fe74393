//! The messages of `onnx.proto` in ONNX 1.12 (IR version 8). Names, numbers and types of its fields never change.
//! Fields that are not written here are omitted.

use prost::Message;
use prost::bytes::Bytes;

/// `TensorProto.DataType`, limited to the types in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub enum Element {
    /// No type.
    Undefined = 0,
    /// 32-bit floating point.
    Float = 1,
    /// 8-bit unsigned integer.
    Uint8 = 2,
    /// 8-bit signed integer.
    Int8 = 3,
    /// 32-bit signed integer.
    Int32 = 6,
    /// 64-bit signed integer.
    Int64 = 7,
    /// A byte that is 0 or 1.
    Bool = 9,
}

/// `AttributeProto.AttributeType`, limited to the types in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub enum AttributeKind {
    /// No type.
    Undefined = 0,
    /// One number.
    Float = 1,
    /// One integer.
    Int = 2,
    /// UTF-8 bytes.
    String = 3,
    /// A graph: the body of `Scan`.
    Graph = 5,
    /// Numbers.
    Floats = 6,
    /// Integers.
    Ints = 7,
    /// Several UTF-8 byte strings.
    Strings = 8,
}

/// `ModelProto`: a file.
#[derive(Clone, PartialEq, Message)]
pub struct Model {
    /// [`crate::IR_VERSION`].
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    /// Name of the program that wrote the file.
    #[prost(string, tag = "2")]
    pub producer_name: String,
    /// Version of the program.
    #[prost(string, tag = "3")]
    pub producer_version: String,
    /// The computation graph.
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    /// Versions of the operator sets.
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<Opset>,
    /// Metadata.
    #[prost(message, repeated, tag = "14")]
    pub metadata_props: Vec<Entry>,
}

/// `OperatorSetIdProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Opset {
    /// Empty for ONNX's own operators. It is written even then, as `onnx.helper` does.
    #[prost(string, optional, tag = "1")]
    pub domain: Option<String>,
    /// Version of the operator set.
    #[prost(int64, tag = "2")]
    pub version: i64,
}

/// `StringStringEntryProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Entry {
    /// The key.
    #[prost(string, tag = "1")]
    pub key: String,
    /// The value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// `GraphProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    /// The nodes, in topological order.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    /// Name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Constants.
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
    /// The inputs.
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<Value>,
    /// The outputs.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<Value>,
}

/// `NodeProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Node {
    /// Names of values; empty for an omitted one.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// Names of values; empty for an unused one.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// Name.
    #[prost(string, tag = "3")]
    pub name: String,
    /// The operator.
    #[prost(string, tag = "4")]
    pub op_type: String,
    /// The operator's attributes.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

/// `AttributeProto`. Use the functions below to create one.
#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    /// Name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// For [`AttributeKind::Float`].
    #[prost(float, optional, tag = "2")]
    pub f: Option<f32>,
    /// For [`AttributeKind::Int`].
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    /// For [`AttributeKind::String`].
    #[prost(bytes = "vec", optional, tag = "4")]
    pub s: Option<Vec<u8>>,
    /// For [`AttributeKind::Graph`].
    #[prost(message, optional, tag = "6")]
    pub g: Option<Graph>,
    /// For [`AttributeKind::Floats`].
    #[prost(float, repeated, packed = "false", tag = "7")]
    pub floats: Vec<f32>,
    /// For [`AttributeKind::Ints`].
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    /// For [`AttributeKind::Strings`].
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub strings: Vec<Vec<u8>>,
    /// The kind of the value, an [`AttributeKind`].
    #[prost(enumeration = "AttributeKind", tag = "20")]
    pub r#type: i32,
}

impl Attribute {
    fn of(name: &str, kind: AttributeKind) -> Self {
        Self { name: name.into(), r#type: kind as i32, ..Self::default() }
    }

    /// Creates an attribute with a number.
    #[must_use]
    pub fn float(name: &str, value: f32) -> Self {
        Self { f: Some(value), ..Self::of(name, AttributeKind::Float) }
    }

    /// Creates an attribute with an integer.
    #[must_use]
    pub fn int(name: &str, value: i64) -> Self {
        Self { i: Some(value), ..Self::of(name, AttributeKind::Int) }
    }

    /// Creates an attribute with a text.
    #[must_use]
    pub fn string(name: &str, value: &str) -> Self {
        Self { s: Some(value.into()), ..Self::of(name, AttributeKind::String) }
    }

    /// Creates an attribute with a graph.
    #[must_use]
    pub fn graph(name: &str, value: Graph) -> Self {
        Self { g: Some(value), ..Self::of(name, AttributeKind::Graph) }
    }

    /// Creates an attribute with integers.
    #[must_use]
    pub fn ints(name: &str, values: Vec<i64>) -> Self {
        Self { ints: values, ..Self::of(name, AttributeKind::Ints) }
    }

    /// Creates an attribute with texts.
    #[must_use]
    pub fn strings(name: &str, values: Vec<String>) -> Self {
        let strings = values.into_iter().map(String::into_bytes).collect();
        Self { strings, ..Self::of(name, AttributeKind::Strings) }
    }
}

/// `TensorProto`, with its elements as little-endian bytes in row-major order.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// Sizes of the dimensions.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    /// Type of the elements, an [`Element`].
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    /// Name.
    #[prost(string, tag = "8")]
    pub name: String,
    /// The elements.
    #[prost(bytes = "bytes", tag = "9")]
    pub raw_data: Bytes,
}

/// `ValueInfoProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// Name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The type of the value.
    #[prost(message, optional, tag = "2")]
    pub r#type: Option<Type>,
}

impl Value {
    /// Creates a tensor value.
    #[must_use]
    pub fn tensor(name: &str, element: Element, sizes: Vec<Dimension>) -> Self {
        let shape = Some(Shape { dim: sizes });
        let tensor_type = Some(TensorType { elem_type: element as i32, shape });
        Self { name: name.into(), r#type: Some(Type { tensor_type }) }
    }
}

/// `TypeProto` of a tensor.
#[derive(Clone, PartialEq, Message)]
pub struct Type {
    /// Element type and sizes.
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorType>,
}

/// `TypeProto.Tensor`.
#[derive(Clone, PartialEq, Message)]
pub struct TensorType {
    /// Type of the elements, an [`Element`].
    #[prost(int32, tag = "1")]
    pub elem_type: i32,
    /// Sizes of the dimensions.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

/// `TensorShapeProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    /// A size for each dimension.
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

/// `TensorShapeProto.Dimension`.
#[derive(Clone, PartialEq, Message)]
pub struct Dimension {
    /// The size, or a name for a size that varies between calls.
    #[prost(oneof = "SizeKind", tags = "1, 2")]
    pub value: Option<SizeKind>,
}

impl Dimension {
    /// A fixed size.
    #[must_use]
    pub fn of(size: i64) -> Self {
        Self { value: Some(SizeKind::Value(size)) }
    }

    /// A size that varies between calls.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { value: Some(SizeKind::Name(name.into())) }
    }
}

/// The size of a [`Dimension`].
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum SizeKind {
    /// A number.
    #[prost(int64, tag = "1")]
    Value(i64),
    /// A name.
    #[prost(string, tag = "2")]
    Name(String),
}
