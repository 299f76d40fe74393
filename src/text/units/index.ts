export { type Part, pieces, readUnits, type UnitChoice, type UnitStream } from './learn.js';
export { NamedUnits } from './named.js';
export { END_UNIT, UNIT_NAMES, UNKNOWN_UNIT, type UnitName } from './names.js';
export { PieceUnits } from './pieces.js';
export { UnitText } from './text.js';
export type { UnitDecoder, Units } from './units.js';
