//! ONNX files: the messages of `onnx.proto` (IR version 8) that a model needs, and their encoding.
//!
//! The caller builds the graph. A tensor's bytes are shared, not copied, until the file is encoded.

mod messages;

pub use messages::{
    Attribute, AttributeKind, Dimension, Element, Entry, Graph, Model, Node, Opset, Shape, SizeKind, Tensor,
    TensorType, Type, Value,
};
pub use prost::bytes::Bytes;

use prost::Message;
use recurra_core::{Error, ErrorCode, Result};

/// IR version of the messages.
pub const IR_VERSION: i64 = 8;

/// Maximum size of a protobuf message, and so of an ONNX file without external data.
pub const MOST_BYTES: usize = i32::MAX as usize;

/// Encodes the file of a model.
///
/// # Errors
/// `OutOfRange` for a model of 2 GiB or more, `OutOfMemory` if the system refuses the memory.
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

    /// The bytes printed by `scripts/golden/onnx_bytes.py`: `onnx.helper` (onnx 1.23.2) encodes the same model to them.
    const GOLDEN: &str = concat!(
        "08081207726563757272611a01303acc020a210a01770a01781201761a016e22064761746865722a0b0a04617869731800a001020a8e01",
        "0a01761201791a017322045363616e2a470a04626f6479323c0a190a03622f781203622f791a03622f6e22084964656e74697479120162",
        "5a0d0a03622f7812060a0408011200620d0a03622f7912060a0408011200a001052a160a0f6e756d5f7363616e5f696e707574731801a0",
        "01022a1c0a157363616e5f696e7075745f646972656374696f6e734001a001070a590a000a0176120012017a1a01722203524e4e2a1c0a",
        "0b61637469766174696f6e734a0452656c754a0454616e68a001082a0e0a04636c6970150000003fa001012a170a09646972656374696f",
        "6e2207666f7277617264a001031201672a11080210014201774a080000803f000000405a140a0178120f0a0d080712090a071205626174",
        "6368620f0a0179120a0a08080112040a02080342040a00101172060a016b120176",
    );

    fn node(operator: &str, name: &str, inputs: &[&str], outputs: &[&str], attribute: Vec<Attribute>) -> Node {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Node { input: list(inputs), output: list(outputs), name: name.into(), op_type: operator.into(), attribute }
    }

    #[test]
    fn a_model_has_the_bytes_that_onnx_gives_it() {
        let scalar = |name: &str| Value::tensor(name, Element::Float, Vec::new());
        let body = Graph {
            node: vec![node("Identity", "b/n", &["b/x"], &["b/y"], Vec::new())],
            name: "b".into(),
            input: vec![scalar("b/x")],
            output: vec![scalar("b/y")],
            ..Graph::default()
        };
        let scan = vec![
            Attribute::graph("body", body),
            Attribute::int("num_scan_inputs", 1),
            Attribute::ints("scan_input_directions", vec![1]),
        ];
        let rnn = vec![
            Attribute::strings("activations", vec!["Relu".into(), "Tanh".into()]),
            Attribute::float("clip", 0.5),
            Attribute::string("direction", "forward"),
        ];
        let graph = Graph {
            node: vec![
                node("Gather", "n", &["w", "x"], &["v"], vec![Attribute::int("axis", 0)]),
                node("Scan", "s", &["v"], &["y"], scan),
                node("RNN", "r", &["", "v"], &["", "z"], rnn),
            ],
            name: "g".into(),
            initializer: vec![Tensor {
                dims: vec![2],
                data_type: Element::Float as i32,
                name: "w".into(),
                raw_data: Bytes::from_static(&[0, 0, 128, 63, 0, 0, 0, 64]),
            }],
            input: vec![Value::tensor("x", Element::Int64, vec![Dimension::named("batch")])],
            output: vec![Value::tensor("y", Element::Float, vec![Dimension::of(3)])],
        };
        let model = Model {
            ir_version: IR_VERSION,
            producer_name: "recurra".into(),
            producer_version: "0".into(),
            graph: Some(graph),
            opset_import: vec![Opset { domain: Some(String::new()), version: 17 }],
            metadata_props: vec![Entry { key: "k".into(), value: "v".into() }],
        };
        let bytes = to_bytes(&model).unwrap();
        assert_eq!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), GOLDEN);
        assert_eq!(Model::decode(&bytes[..]).unwrap(), model);
    }

    #[test]
    fn a_model_that_is_too_large_for_the_format_is_refused() {
        // All tensors share one buffer.
        let piece = Bytes::from(vec![0; 1 << 20]);
        let tensor = Tensor { raw_data: piece, ..Tensor::default() };
        let graph = Graph { initializer: vec![tensor; 2048], ..Graph::default() };
        let error = to_bytes(&Model { graph: Some(graph), ..Model::default() }).unwrap_err();
        assert_eq!(error.code(), ErrorCode::OutOfRange);
        assert!(error.message().contains("an ONNX file has at most 2147483647"), "{error}");
    }
}
