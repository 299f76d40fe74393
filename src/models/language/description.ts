import { ModelFileError } from '../../core/errors.js';
import { adaptiveScores } from '../../engine/network.js';
import { UNIT_NAMES, type UnitName } from '../../text/units/names.js';
import type { FileKind } from '../description.js';
import { type LanguageNetworkSettings, languageHead, languageNetwork } from './network.js';

/** Fields of a language model's file. */
export interface LanguageFields {
  /** What the units are; `'pieces'` are those of the tokenizer in the file. */
  units: UnitName | 'pieces';
  /** Number of units. */
  outputs: number;
}

/**
 * The description of language model files. Versions of its format:
 *
 * - 1: everything except compressed models.
 * - 2: compressed models.
 */
export const languageFile: FileKind<LanguageNetworkSettings, LanguageFields> = {
  kind: 'language',
  version: 2,
  settings: languageNetwork,
  parse({ units, outputs }) {
    const names: readonly unknown[] = [...UNIT_NAMES, 'pieces'];
    if (!names.includes(units)) throw new ModelFileError('INVALID_FILE', `unknown units ${JSON.stringify(units)}`);
    if (!Number.isSafeInteger(outputs) || (outputs as number) < 2)
      throw new ModelFileError('INVALID_FILE', 'expected the number of its units');
    return { units: units as LanguageFields['units'], outputs: outputs as number };
  },
  outputs({ outputs }, settings) {
    const head = languageHead(outputs, settings);
    if (settings.tieWeights) return 0;
    return head.kind === 'tags' && head.decoder === 'adaptive' ? adaptiveScores(outputs) : outputs;
  },
};
