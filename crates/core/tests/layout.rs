//! The packed layout: packing cases of PyTorch, and round trips over random lengths.

use std::path::Path;

use proptest::prelude::*;
use recurra_core::ErrorCode;
use recurra_core::layout::PackedLayout;

#[test]
fn equals_pytorch() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/fixtures/golden/packing.json");
    let cases: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let list =
            |name: &str| -> Vec<i64> { case[name].as_array().unwrap().iter().map(|v| v.as_i64().unwrap()).collect() };
        let lengths: Vec<i32> = list("lengths").iter().map(|&l| l as i32).collect();
        let layout = PackedLayout::new(&lengths, None).unwrap();
        let wide = |values: &[u32]| -> Vec<i64> { values.iter().map(|&v| i64::from(v)).collect() };
        assert_eq!(wide(layout.batch_sizes()), list("batchSizes"));
        assert_eq!(wide(layout.sorted_indices()), list("sortedIndices"));
        assert_eq!(wide(layout.unsorted_indices()), list("unsortedIndices"));
        let padded = case["padded"].as_array().unwrap();
        let data: Vec<i64> = (0..layout.total())
            .map(|position| {
                let (row, time) = layout.row_and_time(position).unwrap();
                padded[layout.sorted_indices()[row] as usize][time].as_i64().unwrap()
            })
            .collect();
        assert_eq!(data, list("data"));
    }
}

proptest! {
    #[test]
    fn positions_and_rows_are_inverse(lengths in prop::collection::vec(1i32..40, 1..50)) {
        let layout = PackedLayout::new(&lengths, None).unwrap();
        prop_assert_eq!(layout.total(), lengths.iter().map(|&l| l as usize).sum::<usize>());
        let mut seen = 0;
        for (row, &caller) in layout.sorted_indices().iter().enumerate() {
            prop_assert_eq!(layout.unsorted_indices()[caller as usize] as usize, row);
            let length = lengths[caller as usize] as usize;
            prop_assert_eq!(layout.lengths()[row] as usize, length);
            for time in 0..length {
                let position = layout.position(row, time).unwrap();
                prop_assert_eq!(layout.row_and_time(position), Some((row, time)));
                prop_assert_eq!(layout.reversed_position(row, length - 1 - time), Some(position));
                seen += 1;
            }
            prop_assert_eq!(layout.position(row, length), None);
        }
        prop_assert_eq!(seen, layout.total());
        prop_assert_eq!(layout.row_and_time(layout.total()), None);
        // The order is descending, and stable among equal lengths.
        for pair in layout.sorted_indices().windows(2) {
            let (a, b) = (lengths[pair[0] as usize], lengths[pair[1] as usize]);
            prop_assert!(a > b || (a == b && pair[0] < pair[1]));
        }
        let sizes: Vec<i32> = layout.batch_sizes().iter().map(|&s| s as i32).collect();
        let again = PackedLayout::from_batch_sizes(&sizes).unwrap();
        prop_assert_eq!(again.offsets(), layout.offsets());
        prop_assert_eq!(again.lengths(), layout.lengths());
    }

    #[test]
    fn slices_cover_the_rows_once(lengths in prop::collection::vec(1i32..40, 1..50), parts in 1usize..6) {
        let layout = PackedLayout::new(&lengths, None).unwrap();
        let slices = layout.slices(parts);
        prop_assert_eq!(slices.len(), parts);
        let mut next = 0;
        for slice in slices {
            prop_assert_eq!(slice.start, next);
            next = slice.end;
        }
        prop_assert_eq!(next, lengths.len());
    }

    #[test]
    fn any_numbers_give_a_layout_or_an_error(lengths in prop::collection::vec(-3i32..60, 0..20), rows in 0usize..20, steps in 0usize..50) {
        let good = lengths.len() == rows && rows > 0 && lengths.iter().all(|&l| l >= 1 && l as usize <= steps);
        prop_assert_eq!(PackedLayout::for_batch(&lengths, rows, steps).is_ok(), good);
    }
}

#[test]
fn bad_lengths_say_what_is_wrong() {
    let error = |lengths: &[i32], rows, steps| PackedLayout::for_batch(lengths, rows, steps).unwrap_err();
    assert_eq!(
        error(&[3, 0], 2, 5).to_wire(),
        "RECURRA:OUT_OF_RANGE:length 0 of sequence 1 is below 1: an empty sequence cannot be packed"
    );
    assert_eq!(error(&[-4], 1, 5).code(), ErrorCode::OutOfRange);
    assert_eq!(error(&[3, 6], 2, 5).message(), "length 6 of sequence 1 is above the batch's 5 time steps");
    assert_eq!(error(&[3], 2, 5).code(), ErrorCode::InvalidShape);
    assert_eq!(error(&[], 0, 5).code(), ErrorCode::InvalidArgument);
    let sizes = |sizes: &[i32]| PackedLayout::from_batch_sizes(sizes).unwrap_err().message().to_string();
    assert_eq!(sizes(&[2, 1, 2]), "batch sizes must not grow: 1 is followed by 2 at step 2");
    assert_eq!(sizes(&[2, 0]), "batch size 0 at step 1 is below 1");
    assert!(sizes(&[]).contains("empty"));
}
