//! Bytes as a model file may have them: tensors that agree with the file, or a typed error.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use recurra_core::{ErrorCode, NamedArray};
use recurra_files::safetensors::{parse, to_bytes};

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("m");
    match parse(path, bytes) {
        Err(error) => assert_eq!(error.code(), ErrorCode::InvalidFile),
        Ok(contents) => {
            assert!(contents.entries.iter().map(|entry| entry.data.len()).sum::<usize>() <= bytes.len());
            for entry in &contents.entries {
                assert_eq!(entry.numel().map(|n| n * entry.dtype.size()), Some(entry.data.len()));
            }
            // What was read can be written, and is then the same with a checksum that fits.
            let again = to_bytes(path, contents.metadata.clone(), &contents.entries).expect("a file");
            let read = parse(path, &again).expect("what was written");
            assert_eq!((read.checksum, read.entries.len()), ("valid", contents.entries.len()));
            for NamedArray { name, dtype, shape, data } in &contents.entries {
                let same = read.entries.iter().find(|entry| entry.name == *name).expect("the tensor");
                assert_eq!((same.dtype, &same.shape, &same.data), (*dtype, shape, data));
            }
        }
    }
});
