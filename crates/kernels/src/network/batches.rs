//! How texts to be labelled are cut into batches.

/// Rows of a batch of bulk prediction, and its tokens: enough to fill the tiles, few enough for the cache.
pub(super) const BATCH_ROWS: usize = 48;
pub(super) const BATCH_TOKENS: usize = 4096;

/// Cuts of rows of these lengths, so that each batch has few rows and few tokens (one row at least). Where more than one batch is
/// needed, a team's members get as many each, with about as many tokens.
pub(super) fn cuts(lengths: impl ExactSizeIterator<Item = usize>, tokens: usize, members: usize) -> Vec<usize> {
    let end = lengths.len();
    let least = end.div_ceil(BATCH_ROWS).max(tokens.div_ceil(BATCH_TOKENS));
    let wanted = if least > 1 { least.next_multiple_of(members) } else { 1 };
    let (mut cuts, mut rows, mut count, mut before) = (vec![0], 0, 0, 0);
    for (place, length) in lengths.enumerate() {
        let share = tokens * cuts.len() / wanted;
        if rows > 0 && (rows == BATCH_ROWS || count + length > BATCH_TOKENS || before + count >= share) {
            cuts.push(place);
            before += count;
            (rows, count) = (0, 0);
        }
        rows += 1;
        count += length;
    }
    cuts.push(end);
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_within_their_limits_and_a_team_gets_as_many_each() {
        for (lengths, members, expected) in [
            (vec![], 2, vec![0, 0]),
            (vec![5; BATCH_ROWS], 2, vec![0, BATCH_ROWS]),
            (vec![44; 69], 2, vec![0, 35, 69]),
            (vec![44; 69], 1, vec![0, 35, 69]),
            (vec![44; 100], 2, vec![0, 25, 50, 75, 100]),
            (vec![9000, 9000, 10], 1, vec![0, 1, 2, 3]),
            (vec![3000, 1000, 1000, 500, 500], 2, vec![0, 1, 5]),
        ] {
            let tokens = lengths.iter().sum();
            assert_eq!(cuts(lengths.iter().copied(), tokens, members), expected, "{lengths:?}, {members}");
        }
        let lengths: Vec<usize> = (0..1000).map(|row| 4000 / (row + 1)).collect();
        for members in 1..5 {
            let cuts = cuts(lengths.iter().copied(), lengths.iter().sum(), members);
            assert!(cuts[0] == 0 && cuts[cuts.len() - 1] == lengths.len());
            for cut in cuts.windows(2) {
                let batch = &lengths[cut[0]..cut[1]];
                assert!(!batch.is_empty() && batch.len() <= BATCH_ROWS);
                assert!(batch.len() == 1 || batch.iter().sum::<usize>() <= BATCH_TOKENS);
            }
        }
    }
}
