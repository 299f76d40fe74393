//! Lengths and batch sizes: a consistent layout, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recurra_core::layout::PackedLayout;

fuzz_target!(|input: (Vec<i16>, Option<u8>)| {
    let (numbers, longest) = input;
    let numbers: Vec<i32> = numbers.into_iter().map(i32::from).collect();
    let limit = longest.map(usize::from);
    for layout in [PackedLayout::new(&numbers, limit), PackedLayout::from_batch_sizes(&numbers)].into_iter().flatten() {
        assert_eq!(layout.total(), layout.lengths().iter().map(|&length| length as usize).sum::<usize>());
        assert_eq!(layout.steps(), layout.lengths()[0] as usize);
        let mut seen = vec![false; layout.rows()];
        layout.sorted_indices().iter().for_each(|&row| seen[row as usize] = true);
        assert!(seen.into_iter().all(|there| there));
    }
});
