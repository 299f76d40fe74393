import { Random } from '../core/random.js';
import { Turns } from '../core/turns.js';
import { argmaxOf } from '../measures/probabilities.js';
import type { Forms } from '../text/forms.js';
import type { ChunkStats, ExplainingEngine, Explanation, HeldWeights, StateEntry } from './engine.js';
import { byMember, memberPrefix, named } from './memberNames.js';

/** The generator's stream for the members' seeds; 0 is the usual one, 1 draws the order of rows. */
const MEMBER_STREAM = 2;

/** Additions between two checks of the clock: some tens of microseconds. */
const NUMBERS_A_LOOK = 65_536;

/**
 * The seeds of an ensemble's networks. The first one is `seed`, so that it is the network that would be trained alone;
 * the others are drawn from it. Initial weights and dropout depend on them; the order of the rows does not.
 */
export function memberSeeds(seed: number, members: number): number[] {
  const random = new Random(seed, MEMBER_STREAM);
  return [seed, ...Array.from({ length: members - 1 }, () => random.int(2 ** 32))];
}

/** Adds `more` to `sum` and divides by `by`, yielding to the event loop. */
async function add(sum: Float32Array, more: Float32Array, by: number): Promise<void> {
  const turns = new Turns();
  for (let from = 0; from < sum.length; from += NUMBERS_A_LOOK) {
    addPart(sum, more, by, from, Math.min(sum.length, from + NUMBERS_A_LOOK));
    if (turns.due) await turns.next();
  }
}

function addPart(sum: Float32Array, more: Float32Array, by: number, from: number, to: number): void {
  for (let i = from; i < to; i++) sum[i] = Math.fround(sum[i]! + more[i]!) / by;
}

/**
 * Several networks as one: each one trains on all batches, and the scores are the mean of theirs. They have the same
 * configuration and different seeds. They run one after the other, each with all threads.
 *
 * - Statistics of a chunk are means over the members. If the loss of one is not finite, its statistics are returned and
 *   the members after it do not see the chunk.
 * - Raw scores are the mean of the members', and so is an explanation: the gradient of that mean with respect to all
 *   members' word vectors.
 * - The arrays of the first member keep their names, see `memberNames.ts`.
 *
 * @param members - Two or more; the ensemble closes them.
 */
export function ensemble(members: readonly [ExplainingEngine, ...ExplainingEngine[]]): ExplainingEngine {
  const [first, ...others] = members;
  const count = members.length;
  /** Adding the last of `others` turns the sum into the mean. */
  const divisor = (at: number) => (at === others.length - 1 ? count : 1);

  async function meanOf(ask: (member: ExplainingEngine) => Promise<Float32Array>): Promise<Float32Array> {
    const sum = await ask(first);
    for (const [at, member] of others.entries()) await add(sum, await ask(member), divisor(at));
    return sum;
  }

  function meanNow(tokens: Int32Array, lengths: Int32Array, forms?: Forms): Float32Array | undefined {
    const sum = first.scoresNow!(tokens, lengths, forms);
    if (!sum) return undefined;
    for (const [at, member] of others.entries()) {
      const more = member.scoresNow!(tokens, lengths, forms);
      if (!more) return undefined;
      addPart(sum, more, divisor(at), 0, sum.length);
    }
    return sum;
  }

  let another = new Float32Array(0);
  const textNow: NonNullable<ExplainingEngine['scoreTextNow']> = (encoder, text, row) => {
    if (another.length !== row.length) another = new Float32Array(row.length);
    const outputs = row.length - 2;
    if (!first.scoreTextNow!(encoder, text, row)) return false;
    for (const [at, member] of others.entries()) {
      if (!member.scoreTextNow!(encoder, text, another)) return false;
      addPart(row, another, divisor(at), 0, outputs);
    }
    return true;
  };

  async function all(work: (member: ExplainingEngine, at: number) => Promise<void>): Promise<void> {
    for (const [at, member] of members.entries()) await work(member, at);
  }

  async function collected(ask: (member: ExplainingEngine) => Promise<StateEntry[]>): Promise<StateEntry[]> {
    const entries: StateEntry[] = [];
    await all(async (member, at) => {
      entries.push(...named(await ask(member), at));
    });
    return entries;
  }

  const scores = (tokens: Int32Array, lengths: Int32Array, forms?: Forms) =>
    meanOf((member) => member.scores(tokens, lengths, forms));

  return {
    async train(chunk, options) {
      const sums: ChunkStats = { loss: 0, correct: 0, answers: 0, rows: 0, nonFiniteBatch: -1 };
      for (const member of members) {
        const stats = await member.train(chunk, options);
        if (stats.nonFiniteBatch >= 0) return stats;
        sums.loss += stats.loss;
        sums.correct += stats.correct;
        sums.answers = stats.answers;
        sums.rows = stats.rows;
      }
      return { ...sums, loss: sums.loss / count, correct: sums.correct / count };
    },
    scores,
    ...(members.every((member) => member.scoresNow) && { scoresNow: meanNow }),
    // Texts that are too long are read once, and their ids go to every member.
    ...(members.every((member) => member.scoreTextNow) && { scoreTextNow: textNow }),
    // A chunk takes the time of all members, and stopping should be as prompt as with one.
    chunkTokens: Math.max(1, Math.floor(first.chunkTokens / count)),
    workPerToken: members.reduce((sum, { workPerToken }) => sum + workPerToken, 0),
    setWordVectors: (words, vectors) => all((member) => member.setWordVectors(words, vectors)),
    state: () => collected((member) => member.state()),
    async loadState(entries) {
      const parts = byMember(entries, count);
      await all((member, at) => member.loadState(parts[at]!));
    },
    async loadHeld({ file, except }) {
      byMember(
        file.tensors.filter(({ name }) => except === undefined || !name.startsWith(except)),
        count,
      );
      const parts: HeldWeights[] = members.map((_, at) =>
        at === 0 ? { file, except } : { file: file.takePart(memberPrefix(at)), except: undefined },
      );
      try {
        await all((member, at) => member.loadHeld(parts[at]!));
      } finally {
        for (const part of parts) part.file.close();
      }
    },
    trainingState: (weights) => collected((member) => member.trainingState(weights)),
    async restore(entries) {
      const parts = byMember(entries, count);
      await all((member, at) => member.restore(parts[at]!));
    },
    ...(members.every((member) => member.distribute) && {
      distribute(table: bigint | undefined) {
        for (const member of members) member.distribute!(table);
      },
    }),
    rawScores: (tokens, lengths, forms) => meanOf((member) => member.rawScores(tokens, lengths, forms)),
    async explain(tokens, output, forms): Promise<Explanation> {
      const probable = await scores(tokens, Int32Array.of(tokens.length), forms);
      const explained = output < 0 ? argmaxOf(probable) : output;
      const own: Explanation[] = [];
      for (const member of members) own.push(await member.explain(tokens, explained, forms));
      const mean = (of: (explanation: Explanation) => Float32Array) =>
        of(own[0]!).map((_, i) => own.reduce((sum, explanation) => sum + of(explanation)[i]!, 0) / count);
      return {
        output: explained,
        raw: mean(({ raw }) => raw),
        scores: probable,
        contributions: mean(({ contributions }) => contributions),
      };
    },
    close() {
      for (const member of members) member.close();
    },
  };
}
