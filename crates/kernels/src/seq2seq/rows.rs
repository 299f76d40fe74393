//! Rows of source units in processing order, and selections of them.

/// Rows by descending length, and the start of each row's units.
pub(super) struct ByLength {
    pub order: Vec<u32>,
    pub starts: Vec<usize>,
}

pub(super) fn by_length(lengths: &[i32]) -> ByLength {
    let mut sum = 0;
    let start = |&length: &i32| {
        sum += length as usize;
        sum - length as usize
    };
    let starts = lengths.iter().map(start).collect();
    let mut order: Vec<u32> = (0..lengths.len() as u32).collect();
    order.sort_by_key(|&row| std::cmp::Reverse(lengths[row as usize]));
    ByLength { order, starts }
}

/// Source units and lengths of some rows.
pub(super) fn some_rows(tokens: &[i32], lengths: &[i32], starts: &[usize], some: &[u32]) -> (Vec<i32>, Vec<i32>) {
    let own: Vec<i32> = some.iter().map(|&row| lengths[row as usize]).collect();
    let mut units = Vec::with_capacity(own.iter().map(|&length| length as usize).sum());
    for &row in some {
        units.extend_from_slice(&tokens[starts[row as usize]..][..lengths[row as usize] as usize]);
    }
    (units, own)
}
