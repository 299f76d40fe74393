import type { PieceTokenizer } from '../text/units/pieces.js';

/** GPT-2's pieces, which are split by themselves: contractions, letters, digits and other signs with a blank before them, blanks. */
const PIECES =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The characters that stand for bytes in GPT-2's tokens: printable ones for themselves, and for the others those from U+0100 on. */
const CHARACTERS: readonly string[] = (() => {
  const printable = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let other = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : other++));
})();

/** Splits a text into pieces of bytes, as GPT-2 does: byte pair encoding within each word. */
class BytePieces implements PieceTokenizer {
  readonly size: number;
  readonly #tokens: readonly (string | undefined)[];
  readonly #ids: ReadonlyMap<string, number>;
  /** The rank of each pair that is joined. */
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #bytes = new Map(CHARACTERS.map((character, byte) => [character, byte]));

  constructor(ids: ReadonlyMap<string, number>, merges: readonly (readonly [string, string])[]) {
    const tokens: string[] = [];
    for (const [token, id] of ids) tokens[id] = token;
    this.#tokens = tokens;
    this.size = ids.size;
    this.#ids = ids;
    this.#ranks = new Map(merges.map(([left, right], rank) => [`${left} ${right}`, rank]));
  }

  tokenOf(id: number): string | undefined {
    return this.#tokens[id];
  }

  async encodeIds(text: string): Promise<Uint32Array> {
    const encoder = new TextEncoder();
    const ids: number[] = [];
    // Half a pair of surrogates is U+FFFD, as it is in UTF-8.
    for (const [word] of text.replace(/\p{Surrogate}/gu, '\ufffd').matchAll(PIECES)) {
      const parts = Array.from(encoder.encode(word), (byte) => CHARACTERS[byte]!);
      this.#join(parts);
      for (const part of parts) ids.push(this.#ids.get(part)!);
    }
    return Uint32Array.from(ids);
  }

  /** Joins the pair of the lowest rank until there is none. */
  #join(parts: string[]): void {
    for (;;) {
      let best = Number.POSITIVE_INFINITY;
      let [left, right] = ['', ''];
      for (let i = 1; i < parts.length; i++) {
        const rank = this.#ranks.get(`${parts[i - 1]!} ${parts[i]!}`);
        if (rank !== undefined && rank < best) [best, left, right] = [rank, parts[i - 1]!, parts[i]!];
      }
      if (best === Number.POSITIVE_INFINITY) return;
      let to = 0;
      for (let i = 0; i < parts.length; i++, to++) {
        const pair = parts[i] === left && parts[i + 1] === right;
        parts[to] = pair ? left + right : parts[i]!;
        if (pair) i++;
      }
      parts.length = to;
    }
  }

  decodeIds(ids: readonly number[]): string {
    const bytes: number[] = [];
    for (const id of ids)
      for (const character of this.#tokens[id] ?? '') bytes.push(this.#bytes.get(character) ?? 0x3f);
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  }
}

/** What is looked at in a `tokenizer.json`. */
interface Json {
  added_tokens?: unknown[];
  normalizer?: unknown;
  post_processor?: unknown;
  pre_tokenizer?: { type?: unknown; add_prefix_space?: unknown; use_regex?: unknown } | null;
  decoder?: { type?: unknown } | null;
  model?: {
    type?: unknown;
    dropout?: unknown;
    continuing_subword_prefix?: unknown;
    end_of_word_suffix?: unknown;
    ignore_merges?: unknown;
    vocab?: Record<string, number>;
    merges?: unknown[];
  } | null;
}

/**
 * The pieces that a `tokenizer.json` describes, if they are those that `units: 'pieces'` learns: byte pair encoding over bytes, without
 * a normalizer, added tokens or anything else.
 *
 * @returns what else it has, where they are not.
 */
export function bytePieces(json: string): PieceTokenizer | string {
  let described: Json | null;
  try {
    described = JSON.parse(json) as Json | null;
  } catch {
    return 'it is not JSON';
  }
  const {
    added_tokens: added,
    normalizer,
    post_processor: after,
    pre_tokenizer: splits,
    decoder,
    model,
  } = described ?? {};
  if (model?.type !== 'BPE' || splits?.type !== 'ByteLevel' || decoder?.type !== 'ByteLevel')
    return 'it is not a byte pair encoding over bytes';
  if (added?.length) return 'it has added tokens';
  if (normalizer || after) return 'it has a normalizer or a post-processor';
  if (splits.add_prefix_space !== false || splits.use_regex === false) return 'it splits texts in another way';
  if (model.dropout || model.continuing_subword_prefix || model.end_of_word_suffix || model.ignore_merges)
    return 'it joins pieces in another way';
  const ids = new Map(Object.entries(model.vocab ?? {}));
  const distinct = new Set(ids.values());
  const fits = [...distinct].every((id) => Number.isSafeInteger(id) && id >= 0 && id < ids.size);
  if (!fits || distinct.size !== ids.size) return 'its numbers are not 0, 1, 2 and so on';
  if (!CHARACTERS.every((character) => ids.has(character))) return 'it does not have all bytes';
  const merges = (model.merges ?? []).map((pair) => (typeof pair === 'string' ? pair.split(' ') : pair) as string[]);
  const joined = merges.every((pair) => Array.isArray(pair) && pair.length === 2 && ids.has(pair.join('')));
  if (!joined) return 'it joins pieces that it does not have';
  return new BytePieces(ids, merges as unknown as [string, string][]);
}
