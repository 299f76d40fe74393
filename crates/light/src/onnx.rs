//! Binding of ONNX files, which are written off the event loop.

use std::path::PathBuf;

use napi::Either;
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;
use recurra_binding::{Background, IntoJs};
use recurra_core::{Error, ErrorCode, Result};
use recurra_files::write_whole;
use recurra_onnx::{
    Attribute, Bytes, Dimension, Element, Entry, Graph, IR_VERSION, Model, Node, Opset, Tensor, Value, to_bytes,
};

/// A model for an ONNX file.
#[napi(object, object_to_js = false)]
pub struct OnnxModel {
    /// Name of the producer.
    pub producer: String,
    /// Version of the producer.
    pub version: String,
    /// Version of the ONNX operator set.
    pub opset: i64,
    /// The computation graph.
    pub graph: OnnxGraph,
    /// Metadata.
    pub metadata: Vec<OnnxEntry>,
}

/// A key with its value.
#[napi(object, object_to_js = false)]
pub struct OnnxEntry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// A graph; its nodes are in topological order.
#[napi(object, object_to_js = false)]
pub struct OnnxGraph {
    /// Name.
    pub name: String,
    /// The nodes, in topological order.
    pub nodes: Vec<OnnxNode>,
    /// Constants.
    pub constants: Vec<OnnxTensor>,
    /// The inputs.
    pub inputs: Vec<OnnxValue>,
    /// The outputs.
    pub outputs: Vec<OnnxValue>,
}

/// An operator with its inputs and outputs.
#[napi(object, object_to_js = false)]
pub struct OnnxNode {
    /// The operator.
    pub operator: String,
    /// Name.
    pub name: String,
    /// Names of values; empty for an omitted one.
    pub inputs: Vec<String>,
    /// Names of values; empty for an unused one.
    pub outputs: Vec<String>,
    /// The operator's attributes.
    pub attributes: Vec<OnnxAttribute>,
}

/// An attribute: exactly one field besides the name is set.
#[napi(object, object_to_js = false)]
pub struct OnnxAttribute {
    /// Name.
    pub name: String,
    /// A number.
    pub float: Option<f64>,
    /// An integer.
    pub int: Option<i64>,
    /// A text.
    pub text: Option<String>,
    /// Integers.
    pub ints: Option<Vec<i64>>,
    /// Texts.
    pub texts: Option<Vec<String>>,
    /// A subgraph.
    pub graph: Option<OnnxGraph>,
}

/// A constant.
#[napi(object, object_to_js = false)]
pub struct OnnxTensor {
    /// Name.
    pub name: String,
    /// Type of the elements.
    #[napi(ts_type = "'float32' | 'int8' | 'uint8' | 'int32' | 'int64' | 'bool'")]
    pub dtype: String,
    /// Sizes of the dimensions.
    pub dims: Vec<i64>,
    /// The elements, little-endian.
    pub data: Uint8Array,
}

/// An input or output.
#[napi(object, object_to_js = false)]
pub struct OnnxValue {
    /// Name.
    pub name: String,
    /// Type of the elements.
    #[napi(ts_type = "'float32' | 'int8' | 'uint8' | 'int32' | 'int64' | 'bool'")]
    pub dtype: String,
    /// Sizes of the dimensions; a name for a size that varies between calls.
    pub dims: Vec<Either<i64, String>>,
}

fn element(name: &str) -> Result<Element> {
    Ok(match name {
        "float32" => Element::Float,
        "int8" => Element::Int8,
        "uint8" => Element::Uint8,
        "int32" => Element::Int32,
        "int64" => Element::Int64,
        "bool" => Element::Bool,
        other => {
            return Err(Error::new(ErrorCode::InvalidDtype, format!("an ONNX file has no elements of type '{other}'")));
        }
    })
}

/// A JavaScript array, whose bytes are written without a copy.
struct Shared(Uint8Array);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<OnnxTensor> for Tensor {
    type Error = Error;

    fn try_from(OnnxTensor { name, dtype, dims, data }: OnnxTensor) -> Result<Self> {
        Ok(Self { dims, data_type: element(&dtype)? as i32, name, raw_data: Bytes::from_owner(Shared(data)) })
    }
}

impl TryFrom<OnnxValue> for Value {
    type Error = Error;

    fn try_from(value: OnnxValue) -> Result<Self> {
        let size = |size: Either<i64, String>| match size {
            Either::A(size) => Dimension::of(size),
            Either::B(name) => Dimension::named(&name),
        };
        Ok(Self::tensor(&value.name, element(&value.dtype)?, value.dims.into_iter().map(size).collect()))
    }
}

impl TryFrom<OnnxAttribute> for Attribute {
    type Error = Error;

    fn try_from(attribute: OnnxAttribute) -> Result<Self> {
        let OnnxAttribute { name, float, int, text, ints, texts, graph } = attribute;
        Ok(match (float, int, text, ints, texts, graph) {
            (Some(value), ..) => Self::float(&name, value as f32),
            (_, Some(value), ..) => Self::int(&name, value),
            (_, _, Some(value), ..) => Self::string(&name, &value),
            (_, _, _, Some(values), ..) => Self::ints(&name, values),
            (_, _, _, _, Some(values), _) => Self::strings(&name, values),
            (.., Some(graph)) => Self::graph(&name, graph.try_into()?),
            _ => return Err(Error::new(ErrorCode::Internal, format!("the attribute {name} has no value"))),
        })
    }
}

impl TryFrom<OnnxNode> for Node {
    type Error = Error;

    fn try_from(OnnxNode { operator, name, inputs, outputs, attributes }: OnnxNode) -> Result<Self> {
        let attribute = attributes.into_iter().map(TryInto::try_into).collect::<Result<_>>()?;
        Ok(Self { input: inputs, output: outputs, name, op_type: operator, attribute })
    }
}

impl TryFrom<OnnxGraph> for Graph {
    type Error = Error;

    fn try_from(OnnxGraph { name, nodes, constants, inputs, outputs }: OnnxGraph) -> Result<Self> {
        Ok(Self {
            node: nodes.into_iter().map(TryInto::try_into).collect::<Result<_>>()?,
            name,
            initializer: constants.into_iter().map(TryInto::try_into).collect::<Result<_>>()?,
            input: inputs.into_iter().map(TryInto::try_into).collect::<Result<_>>()?,
            output: outputs.into_iter().map(TryInto::try_into).collect::<Result<_>>()?,
        })
    }
}

impl TryFrom<OnnxModel> for Model {
    type Error = Error;

    fn try_from(OnnxModel { producer, version, opset, graph, metadata }: OnnxModel) -> Result<Self> {
        Ok(Self {
            ir_version: IR_VERSION,
            producer_name: producer,
            producer_version: version,
            graph: Some(graph.try_into()?),
            opset_import: vec![Opset { domain: Some(String::new()), version: opset }],
            metadata_props: metadata.into_iter().map(|OnnxEntry { key, value }| Entry { key, value }).collect(),
        })
    }
}

/// Writes an ONNX file atomically: to a temporary name, synced, renamed. Callers must not change the arrays.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn write_onnx(path: String, model: OnnxModel) -> napi::Result<AsyncTask<Background<(), ()>>> {
    let model: Model = model.try_into().js()?;
    let write = move || write_whole(&PathBuf::from(path), &to_bytes(&model)?);
    Ok(AsyncTask::new(Background::new(write, |_, ()| Ok(()))))
}
