/** Names of a language model's units. */
export type UnitName = 'characters' | 'bytes' | 'words';

/** All unit names. */
export const UNIT_NAMES = ['characters', 'bytes', 'words'] as const satisfies readonly UnitName[];

/** Names of a sequence-to-sequence model's units. */
export type SequenceUnitName = UnitName | 'tokens';

/** All names of sequence units. */
export const SEQUENCE_UNIT_NAMES = [...UNIT_NAMES, 'tokens'] as const satisfies readonly SequenceUnitName[];

/** The unit for anything that the vocabulary does not have. It is read, never written. */
export const UNKNOWN_UNIT = '<unk>';

/** The unit before a text and at its end. */
export const END_UNIT = '<eos>';
