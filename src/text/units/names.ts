/** What a language model reads and writes, one after the other, by name. */
export type UnitName = 'characters' | 'bytes' | 'words';

/** All names. */
export const UNIT_NAMES = ['characters', 'bytes', 'words'] as const satisfies readonly UnitName[];

/** What a model of pairs reads and writes, by name. */
export type SequenceUnitName = UnitName | 'tokens';

/** All of these names. */
export const SEQUENCE_UNIT_NAMES = [...UNIT_NAMES, 'tokens'] as const satisfies readonly SequenceUnitName[];

/** What stands for a unit that the vocabulary does not have. It is read, never written. */
export const UNKNOWN_UNIT = '<unk>';

/** What stands before a text and ends it. */
export const END_UNIT = '<eos>';
