//! Records of TensorBoard's event files: TFRecord framing of TensorFlow's `event.proto` and `summary.proto` messages,
//! limited to the fields written here. The crates that write whole event files are unmaintained, so the two error-prone
//! parts, protobuf and CRC-32C, come from maintained crates, and the framing is our own.

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use prost::Message;

/// A named number.
#[napi(object, object_to_js = false)]
pub struct TensorboardScalar {
    /// Name; slashes make groups.
    pub tag: String,
    /// The number, stored as float32.
    pub value: f64,
}

/// One record of an event file.
#[napi(object, object_to_js = false)]
pub struct TensorboardEvent {
    /// Seconds since 1970.
    pub wall_time: f64,
    /// The step.
    pub step: f64,
    /// The first record of a file: its version, `brain.Event:2`.
    pub file_version: Option<String>,
    /// Marks a resumed run: later steps in earlier files are void.
    pub restart: Option<bool>,
    /// Numbers of this step.
    pub scalars: Option<Vec<TensorboardScalar>>,
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "7")]
    session_log: Option<SessionLog>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// `SessionLog.START`.
const START: i32 = 1;

impl From<TensorboardEvent> for Event {
    fn from(event: TensorboardEvent) -> Self {
        let value = |scalar: TensorboardScalar| Value { tag: scalar.tag, simple_value: Some(scalar.value as f32) };
        Self {
            wall_time: event.wall_time,
            step: event.step as i64,
            file_version: event.file_version,
            summary: event.scalars.map(|scalars| Summary { value: scalars.into_iter().map(value).collect() }),
            session_log: event.restart.filter(|&restart| restart).map(|_| SessionLog { status: START }),
        }
    }
}

/// A masked CRC as in TFRecord: rotated and offset, because the data may contain a CRC itself.
fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

fn record(message: &Event) -> Vec<u8> {
    let data = message.encode_to_vec();
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), &data, &masked(&data)].concat()
}

/// An event as bytes of an event file.
#[napi(catch_unwind)]
pub fn encode_tensorboard_event(event: TensorboardEvent) -> Uint8Array {
    Uint8Array::new(record(&event.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_record_of_a_file_is_the_one_that_tensorboard_writes() {
        // tensorboard.summary.writer.event_file_writer of 2.21, at time 1.5.
        let event = Event { wall_time: 1.5, file_version: Some("brain.Event:2".into()), ..Event::default() };
        let hex: String = record(&event).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c");
    }
}
