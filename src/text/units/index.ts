export { type Part, pieces, readUnits, type UnitChoice, type UnitStream } from './learn.js';
export { NamedUnits } from './named.js';
export {
  END_UNIT,
  SEQUENCE_UNIT_NAMES,
  type SequenceUnitName,
  UNIT_NAMES,
  UNKNOWN_UNIT,
  type UnitName,
} from './names.js';
export { PieceUnits } from './pieces.js';
export { namedUnits, type SequenceChoice, sequenceUnits } from './sequences.js';
export { UnitText } from './text.js';
export type { UnitDecoder, Units } from './units.js';
