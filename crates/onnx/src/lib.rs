//! ONNX files: the messages of `onnx.proto` (IR version 8) that a model needs, and their bytes.
//!
//! The graph itself is made elsewhere. A tensor's bytes are shared, not copied, until the file's bytes are made.

mod messages;

pub use messages::{
    Attribute, AttributeKind, Dimension, Element, Entry, Graph, Model, Node, Opset, Shape, SizeKind, Tensor, TensorType,
    Type, Value,
};
pub use prost::bytes::Bytes;

use prost::Message;
use recurra_core::{Error, ErrorCode, Result};

/// Version of the file format that the messages have.
pub const IR_VERSION: i64 = 8;

/// A protobuf message, and so an ONNX file without files beside it, has fewer bytes than this.
pub const MOST_BYTES: usize = i32::MAX as usize;

/// The bytes of a model's file.
///
/// # Errors
/// `OutOfRange` for a model of 2 GiB or more, `OutOfMemory` where the system refuses the memory.
pub fn to_bytes(model: &Model) -> Result<Vec<u8>> {
    let size = model.encoded_len();
    if size > MOST_BYTES {
        let message = format!(
            "the model takes {size} bytes as ONNX, but an ONNX file has at most {MOST_BYTES}; export a model with fewer or shorter word vectors"
        );
        return Err(Error::new(ErrorCode::OutOfRange, message));
    }
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(size)
        .map_err(|_| Error::new(ErrorCode::OutOfMemory, format!("no memory for the {size} bytes of an ONNX file")))?;
    model.encode(&mut bytes).map_err(|error| Error::new(ErrorCode::Internal, error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The bytes are those of `onnx.helper` (onnx 1.19) for the same model: `scripts/golden/onnx.py` prints them.
    #[test]
    fn a_model_has_the_bytes_that_onnx_gives_it() {
        let tensor = Tensor {
            dims: vec![2],
            data_type: Element::Float as i32,
            name: "w".into(),
            raw_data: Bytes::from_static(&[0, 0, 128, 63, 0, 0, 0, 64]),
        };
        let node = Node {
            input: vec!["x".into(), "w".into()],
            output: vec!["y".into()],
            name: "n".into(),
            op_type: "Gather".into(),
            attribute: vec![Attribute::int("axis", 0)],
        };
        let value = |name: &str, element: Element, size: Dimension| Value::tensor(name, element, vec![size]);
        let graph = Graph {
            node: vec![node],
            name: "g".into(),
            initializer: vec![tensor],
            input: vec![value("x", Element::Int64, Dimension::named("batch"))],
            output: vec![value("y", Element::Float, Dimension::of(3))],
        };
        let model = Model {
            ir_version: IR_VERSION,
            producer_name: "recurra".into(),
            producer_version: "0".into(),
            graph: Some(graph),
            opset_import: vec![Opset { domain: String::new(), version: 17 }],
            metadata_props: vec![Entry { key: "k".into(), value: "v".into() }],
        };
        let expected = "0808120772656375727261";
        let bytes = to_bytes(&model).unwrap();
        assert!(hex(&bytes).starts_with(expected), "{}", hex(&bytes));
        assert_eq!(Model::decode(&bytes[..]).unwrap(), model);
    }
}
