import { withFields } from '../../training/columns.js';
import { type CommonDescription, LINEAR_VERSION, MEMBERS_VERSION, modelMetadata } from '../file.js';
import type { ClassifierFields } from './description.js';
import type { ModelSettings } from './network.js';

/**
 * Describes a classifier for its file: first all but what a training chooses last: its thresholds, the mix with a linear model, and
 * what validation rows told of its probabilities and scores.
 *
 * @param linear - Whether there is a linear model, which earlier versions cannot read.
 * @param members - Number of networks; earlier versions read only one.
 * @returns a function that adds the chosen parts to the metadata.
 */
export function classifierMetadata(
  common: CommonDescription<ModelSettings>,
  labels: readonly string[],
  linear: boolean,
  members: number,
): (chosen: Omit<ClassifierFields, 'labels' | 'members'>) => Record<string, string> {
  const several = members > 1;
  const version = several ? MEMBERS_VERSION : linear ? LINEAR_VERSION : undefined;
  const metadata = modelMetadata('classifier', common, { labels, ...(several && { members }) }, version);
  return ({ thresholds, linear, recurrent, certainty, scope }) => {
    const without = recurrent ? {} : { recurrent };
    const chosen = { ...(thresholds && { thresholds }), ...(linear && { linear }) };
    const told = { ...(certainty !== undefined && { certainty }), ...(scope !== undefined && { scope }) };
    return withFields(metadata, { ...chosen, ...without, ...told });
  };
}
