//! The complete life of a model, through the functions that JavaScript calls.

use recurra_core::{
    Cell, ClassesConfig, Decoder, EncoderConfig, Forbidden, HeadConfig, NetworkConfig, Pooling, Rows, SubwordsConfig,
    TagsConfig,
};
use recurra_kernels::generate::Generation;
use recurra_kernels::network::Network;
use recurra_text::{FeatureRoom, Features};

use super::*;

const TOKENS: [&str; 4] = ["<unk>", "<pad>", "good", "bad"];

fn message() -> String {
    INSTANCE.with_borrow(|instance| instance.message.clone())
}

/// Memory with these bytes, as JavaScript passes it.
fn room(bytes: &[u8]) -> *mut u8 {
    let to = recurra_alloc(bytes.len());
    // SAFETY: the memory has as many bytes, and nothing else uses it.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    to
}

/// The settings of a classifier.
fn settings(classes: u32) -> [u32; 26] {
    [0, 2, 5, 3, 1, 1, classes, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 1, 100, 0]
}

fn network() -> Network {
    let encoder = EncoderConfig {
        bidirectional: true,
        unknown_idx: Some(0),
        padding_idx: Some(1),
        ..EncoderConfig::new(Cell::Lstm, TOKENS.len(), 5, 3)
    };
    let head = HeadConfig::Classes(ClassesConfig { classes: 2, multi_label: false, pooling: Pooling::Max });
    Network::new(NetworkConfig { encoder, head, seed: 3, threads: 1 }).unwrap()
}

/// Words as JavaScript passes them: the concatenated units and the end of each word.
fn words(words: &[&str]) -> (Vec<u16>, Vec<u32>) {
    let mut units: Vec<u16> = Vec::new();
    let mut ends = Vec::new();
    for word in words {
        units.extend(word.encode_utf16());
        ends.push(units.len() as u32);
    }
    (units, ends)
}

fn give(settings: &[u32], network: &Network) -> u32 {
    let (units, ends) = words(&TOKENS);
    // SAFETY: all arrays live until the calls return, and their lengths are given.
    unsafe {
        if recurra_begin(settings.as_ptr(), settings.len()) > 0
            || recurra_tokens(units.as_ptr(), units.len(), ends.as_ptr(), ends.len()) > 0
        {
            return 1;
        }
        if let HeadConfig::Tags(TagsConfig { forbidden: Some(Forbidden { start, end, between }), .. }) =
            &network.config().head
        {
            let flags: Vec<u8> = [start, end, between].into_iter().flatten().map(|&flag| flag.into()).collect();
            if recurra_forbid(flags.as_ptr(), flags.len()) > 0 {
                return 1;
            }
        }
        for array in network.state().unwrap() {
            let shape: Vec<u32> = array.shape.iter().map(|&size| size as u32).collect();
            let (name, dtype, data) = (array.name.as_bytes(), array.dtype.name().as_bytes(), room(&array.data));
            let member = 0;
            if recurra_array(
                member,
                name.as_ptr(),
                name.len(),
                dtype.as_ptr(),
                dtype.len(),
                shape.as_ptr(),
                shape.len(),
                data,
                array.data.len(),
            ) > 0
            {
                return 1;
            }
        }
    }
    recurra_finish()
}

#[test]
fn a_text_gets_the_probabilities_of_the_network() {
    let network = network();
    assert_eq!(give(&settings(2), &network), 0, "{}", message());
    let text: Vec<u16> = "Good zebra".encode_utf16().collect();
    // SAFETY: the text lives until the call returns.
    let done = unsafe {
        assert_eq!(recurra_needs_lower(text.as_ptr(), text.len()), 0);
        recurra_predict(text.as_ptr(), text.len(), text.as_ptr(), text.len())
    };
    assert_eq!(done, 0, "{}", message());
    let expected = network.predict(&[2, 0], &[2]).unwrap();
    // SAFETY: the answer has two probabilities and two counts.
    let answer = unsafe { std::slice::from_raw_parts(recurra_answer(), 4) };
    assert_eq!(answer, [expected[0], expected[1], 2.0, 1.0]);
}

#[test]
fn what_does_not_fit_is_a_message() {
    let network = network();
    assert_eq!(recurra_finish(), 1);
    assert!(message().starts_with("INTERNAL:"), "{}", message());
    assert_eq!(give(&settings(3), &network), 1);
    assert!(message().contains("fc.weight"), "{}", message());
    assert_eq!(give(&settings(2)[..9], &network), 1);
    assert_eq!(message(), "INVALID_FILE:9 settings, fewer than 16");
    assert_eq!(give(&settings(2)[..25], &network), 1);
    assert_eq!(message(), "INVALID_FILE:25 settings describe no model");
    let mut wrong = settings(2);
    wrong[1] = 77;
    assert_eq!(give(&wrong, &network), 1);
    assert_eq!(message(), "INVALID_FILE:it has an unknown cell");
}

fn tags(head: TagsConfig, subwords: Option<SubwordsConfig>, bidirectional: bool) -> Network {
    let encoder = EncoderConfig {
        bidirectional,
        subwords,
        unknown_idx: Some(0),
        padding_idx: Some(1),
        ..EncoderConfig::new(Cell::Gru, TOKENS.len(), 5, 3)
    };
    Network::new(NetworkConfig { encoder, head: HeadConfig::Tags(head), seed: 5, threads: 1 }).unwrap()
}

#[test]
fn a_sentence_gets_the_tags_of_the_network() {
    let forbidden = Forbidden { start: vec![true, false], end: vec![false; 2], between: vec![false; 4] };
    let subwords = SubwordsConfig { buckets: 50, dim: 4 };
    let head = TagsConfig { tags: 2, decoder: Decoder::Crf, forbidden: Some(forbidden) };
    let network = tags(head, Some(subwords), true);
    // The weight of the shape is 0.5.
    let settings = [1, 3, 5, 3, 1, 1, 2, 4, 0, 2, 50, 4, 2, 3, 1, 1, 0, 0, 0x3fe0_0000];
    assert_eq!(give(&settings, &network), 0, "{}", message());
    let (units, ends) = words(&["good", "Zoë"]);
    let (ids, tokens, lengths) = ([2, 0], [0, 1, 0], [2, 1]);
    // SAFETY: all arrays live until the calls return, and the answer has three numbers for each token.
    let answer = unsafe {
        assert_eq!(recurra_forms(units.as_ptr(), units.len(), ends.as_ptr(), ids.as_ptr(), ids.len()), 0);
        assert_eq!(recurra_tag(tokens.as_ptr(), tokens.len(), lengths.as_ptr(), lengths.len()), 0, "{}", message());
        std::slice::from_raw_parts(recurra_answer(), 9)
    };
    let features = Features { buckets: 50, runs: (2, 3), lower: true, shape: true, shape_share: 0.5 };
    let (mut forms, mut room) = (recurra_core::Forms::default(), FeatureRoom::default());
    for (word, id) in ["good", "Zoë"].iter().zip(ids) {
        let word = word.as_bytes();
        forms.push(id, features.most(word), |to| features.push(word, &mut room, to)).unwrap();
    }
    assert_eq!(answer, network.predict_rows(Rows::of_forms(&tokens, &lengths, &forms)).unwrap());
    assert_eq!(answer[0], 1.0, "the first tag is forbidden in front");
    // SAFETY: as above.
    unsafe {
        assert_eq!(recurra_tag([2].as_ptr(), 1, [1].as_ptr(), 1), 1);
        assert!(message().starts_with("OUT_OF_RANGE:"), "{}", message());
        assert_eq!(recurra_predict(units.as_ptr(), 1, units.as_ptr(), 1), 1);
    }
    assert_eq!(message(), "INTERNAL:the model is of another kind");
}

#[test]
fn a_text_is_written_as_by_the_network() {
    let network = tags(TagsConfig { tags: 4, decoder: Decoder::Softmax, forbidden: None }, None, false);
    let settings = [2, 3, 5, 3, 1, 0, 4, 4, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0];
    assert_eq!(give(&settings, &network), 0, "{}", message());
    let sampling = Sampling { never: vec![0], ..Sampling::default() };
    let mut expected = Generation::new(sampling, 7, Some(1)).unwrap();
    expected.read(&network, &[1, 2]).unwrap();
    for number in [4, 9] {
        // SAFETY: the array lives until the call returns.
        assert_eq!(unsafe { recurra_text(number, 1.0, 0, 1.0, 1.0, 7.0, 1, [0].as_ptr(), 1) }, 0, "{}", message());
        // SAFETY: as above.
        assert_eq!(unsafe { recurra_write(number, [1, 2].as_ptr(), 2, 0) }, 0, "{}", message());
    }
    assert_eq!(recurra_end_text(4), 0);
    // SAFETY: there are no units, and the result has as many elements as its count says.
    let written = unsafe {
        assert_eq!(recurra_write(4, std::ptr::null(), 0, 5), 1);
        assert_eq!(message(), "INTERNAL:there is no such text");
        assert_eq!(recurra_write(9, std::ptr::null(), 0, 5), 0, "{}", message());
        std::slice::from_raw_parts(recurra_written(), recurra_written_count())
    };
    let units = expected.write(&network, 5).unwrap();
    assert_eq!((written[0], &written[1..]), (expected.ended().into(), &units[..]));
    assert!(!units.contains(&0) && !units.contains(&1));
}
