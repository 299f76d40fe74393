//! The configuration and training targets of tagging heads.

use recurra_core::tags::MOST_TAGS;
use recurra_core::{
    Cell, Chunk, Decoder, ErrorCode, Forbidden, HeadConfig, LossOptions, NetworkConfig, TagsConfig, Targets,
};

fn config(change: impl FnOnce(&mut TagsConfig)) -> NetworkConfig {
    let forbidden =
        Forbidden { start: vec![false, true], end: vec![false; 2], between: vec![false, false, false, true] };
    let mut head = TagsConfig { tags: 2, decoder: Decoder::Crf, forbidden: Some(forbidden) };
    change(&mut head);
    NetworkConfig::classifier(Cell::Lstm, 10, 4, 3, 2).with(|c| c.head = HeadConfig::Tags(head))
}

fn chunk<'a>(tags: &'a [i32], lengths: &'a [i32]) -> Chunk<'a> {
    Chunk { tokens: &[1, 2, 3], lengths, targets: Targets::Tokens(tags), batch_sizes: &[2], ..Chunk::default() }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let refused = |change: fn(&mut TagsConfig), part: &str| {
        let error = config(change).validate().unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains(part), "{error}");
    };
    assert_eq!(config(|_| {}).validate(), Ok(()));
    refused(|head| head.tags = 0, "tags must be between");
    refused(|head| head.tags = MOST_TAGS + 1, "at most");
    refused(|head| (head.tags, head.forbidden) = (MOST_TAGS, None), "too many transitions");
    refused(|head| head.decoder = Decoder::Softmax, "for the decoder 'crf'");
    refused(|head| head.tags = 3, "forbidden.start has 2 values instead of 3");
    refused(|head| head.forbidden.as_mut().unwrap().end[0] = true, "no tag for a row of one token");
    assert_eq!(Decoder::parse("softmax"), Ok(Decoder::Softmax));
    assert_eq!(Decoder::parse("CRF").unwrap_err().code(), ErrorCode::InvalidArgument);
}

#[test]
fn targets_must_be_allowed_tags_of_all_tokens() {
    let config = config(|_| {});
    let fails = |chunk: Chunk<'_>, code: ErrorCode, part: &str| {
        let error = chunk.validate(&config).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.message().contains(part), "{error}");
    };
    assert_eq!(chunk(&[0, 0, 1], &[1, 2]).validate(&config), Ok(()));
    fails(chunk(&[0, 0], &[1, 2]), ErrorCode::InvalidShape, "3 tokens but 2 tags");
    fails(chunk(&[0, 0, 2], &[1, 2]), ErrorCode::OutOfRange, "tag 2 of token 2");
    fails(chunk(&[0, 0, 1], &[1, 3]), ErrorCode::InvalidShape, "add up to 4");
    fails(chunk(&[0, 1, 1], &[1, 2]), ErrorCode::InvalidArgument, "tag 1 must not be the first, as in row 1");
    fails(chunk(&[0, 1, 1], &[3]), ErrorCode::InvalidShape, "batch sizes");
    let one = Chunk { batch_sizes: &[1], ..chunk(&[0, 1, 1], &[3]) };
    fails(one, ErrorCode::InvalidArgument, "tag 1 must not follow tag 1, as at token 2 of row 0");
    let rows = Chunk { targets: Targets::Rows(&[0, 1]), ..chunk(&[], &[1, 2]) };
    fails(rows, ErrorCode::InvalidShape, "a tag for each token");
    let loss = LossOptions { weights: &[1.0, 2.0], smoothing: 0.0 };
    assert_eq!(loss.validate(&config).unwrap_err().option(), Some("classWeights"));
    let loss = LossOptions { weights: &[], smoothing: 0.1 };
    assert_eq!(loss.validate(&config).unwrap_err().option(), Some("labelSmoothing"));
}
