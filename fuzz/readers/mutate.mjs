// Mutations of seeds, the same for the same number.

/** Pieces that mean something to one of the readers. */
const PIECES = [
  '"',
  "'",
  ',',
  '\n',
  '\r',
  '\r\n',
  '\t',
  '|',
  ';',
  '::',
  ' ',
  '\0',
  '\ufeff',
  '__label__',
  '{',
  '}',
  '[',
  ']',
  ':',
  '\\u0000',
  '\\',
  'null',
  'true',
  '-1',
  '0',
  '1',
  '1e39',
  '1e-999',
  'NaN',
  '4294967295',
  '9007199254740993',
  '-0',
  '2147483648',
  '1.5',
  '__proto__',
  'constructor',
  'text',
  'label',
  '3 2\n',
  '99999999999 1\n',
  '1 16384\n',
  'one 1 2\n',
  'PAR1',
  '-DOCSTART-',
  '#',
  'O',
  'B-A',
  'I-A',
  '1-2\t',
  'start',
  'end',
  '\u{1f642}',
].map((piece) => Buffer.from(piece));
const BYTES = [
  '00',
  'ff',
  '80',
  'ffffffff',
  'ffffff7f',
  '00000080',
  '1f8b0800',
  '28b52ffd',
  'fffe',
  'feff',
  'c0af',
  'eda080',
  'ffffffffffffff7f',
  'ffffffff0f',
  '0000c07f',
  '0000807f',
];
for (const bytes of BYTES) PIECES.push(Buffer.from(bytes, 'hex'));

/** A small generator (mulberry32) of whole numbers below `n`. */
export function numbers(seed) {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** Longer inputs are cut: what is sought are wrong turns, not large files. */
const LONGEST = 65_536;

/** Changes a seed, maybe with parts of another, in one to eight places. */
export function mutate(seeds, below) {
  let bytes = Buffer.from(seeds[below(seeds.length)]);
  const count = 1 + below(below(4) === 0 ? 8 : 3);
  const splice = (at, length, piece) => Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + length)]);
  for (let i = 0; i < count; i++) {
    const at = below(bytes.length + 1);
    const length = Math.min(bytes.length - at, 1 + below(below(3) === 0 ? 64 : 4));
    switch (below(10)) {
      case 0:
        if (at < bytes.length) bytes[at] = below(256);
        break;
      case 1:
        if (at < bytes.length) bytes[at] ^= 1 << below(8);
        break;
      case 2:
        bytes = splice(at, length, Buffer.alloc(0));
        break;
      case 3:
        bytes = splice(at, 0, bytes.subarray(at, at + length));
        break;
      case 4:
        bytes = splice(at, 0, PIECES[below(PIECES.length)]);
        break;
      case 5:
        bytes = splice(at, length, PIECES[below(PIECES.length)]);
        break;
      case 6: {
        const piece = PIECES[below(PIECES.length)].subarray(0, bytes.length - at);
        piece.copy(bytes, at);
        break;
      }
      case 7: {
        const other = seeds[below(seeds.length)];
        const from = below(other.length + 1);
        bytes = splice(at, length, other.subarray(from, from + 1 + below(200)));
        break;
      }
      case 8:
        if (below(4) === 0) bytes = bytes.subarray(0, at);
        else if (at < bytes.length) bytes[at] = (bytes[at] + (below(2) === 0 ? 1 : 255)) & 255;
        break;
      default: {
        const piece = PIECES[below(PIECES.length)];
        bytes = splice(at, 0, Buffer.concat(Array.from({ length: 1 + below(below(8) === 0 ? 2000 : 8) }, () => piece)));
      }
    }
    bytes = Buffer.from(bytes.subarray(0, LONGEST));
  }
  return bytes;
}
