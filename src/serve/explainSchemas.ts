import { EXPLAIN_METHODS } from '../models/classifier/explain.js';
import type { ServerSettings } from './options.js';

/** Schemas of the request for an explanation, and of its answer. */
export function explainSchemas({ maxTextLength }: Pick<ServerSettings, 'maxTextLength'>) {
  const number = (description: string) => ({ type: 'number', description });
  const token = {
    type: 'object',
    required: ['token', 'position', 'known', 'read', 'contribution'],
    properties: {
      token: { type: 'string', description: 'The token, as the tokenizer gave it.' },
      position: {
        type: 'integer',
        description: 'Its number in the text, from 0; of an n-gram that of its first token.',
      },
      source: { type: 'string', description: 'What stands in the text for it; not there if it could not be found.' },
      start: { type: 'integer', description: 'The index of its first UTF-16 code unit, as JavaScript counts.' },
      end: { type: 'integer', description: 'Index behind its end.' },
      known: { type: 'boolean', description: 'Whether the model knows the token.' },
      read: { type: 'boolean', description: 'Whether the network read it, or the text was cut before it.' },
      contribution: number(
        'What it adds to the logit of the label; of a model without a network to the score of the linear model.',
      ),
      linear: number('What its characters add to the score of the linear model, if there is one next to the network.'),
    },
  };
  return {
    explain: {
      type: 'object',
      required: ['text'],
      additionalProperties: false,
      properties: {
        text: { type: 'string', maxLength: maxTextLength, description: 'The text to explain; it may be empty.' },
        label: { type: 'string', description: 'The label to explain. Default: the most probable one.' },
        method: {
          type: 'string',
          enum: EXPLAIN_METHODS,
          description:
            'occlusion (default) removes each token in turn; gradientInput is faster on long texts, but less reliable.',
        },
      },
    },
    explanation: {
      type: 'object',
      required: ['label', 'probability', 'logit', 'predicted', 'method', 'tokens'],
      properties: {
        label: { type: 'string', description: 'The label that is explained.' },
        probability: number('Its probability, from 0 to 1.'),
        logit: number("The network's output for it, before softmax or sigmoid."),
        linear: number("The linear model's score for it, if there is such a model."),
        predicted: { type: 'string', description: 'The most probable label.' },
        method: {
          type: 'string',
          enum: [...EXPLAIN_METHODS, 'linear'],
          description: 'The method; linear for a model without a network.',
        },
        groupSize: {
          type: 'integer',
          description: 'Tokens that occlusion removed together, each with an equal share: 1 except in long texts.',
        },
        tokens: {
          type: 'array',
          items: token,
          description: 'The tokens of the text in their order; n-grams come after the tokens that they are made of.',
        },
      },
    },
  } as const;
}
