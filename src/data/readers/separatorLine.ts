/** A first line by which Excel names the delimiter of the file. */
const SEPARATOR = /^\ufeff?sep=(.)(?:\r|\n|$)/iu;

/** Bytes of the longest such line: a byte order mark, `sep=`, a character and a line end. */
const LONGEST = 3 + 4 + 4 + 1;

/**
 * Looks for a first line such as `sep=;`.
 *
 * @param bytes - The file, in UTF-8.
 * @returns the delimiter that it names, if there is such a line, and the whole file with that line.
 *
 * @internal
 */
export async function separatorLine(
  bytes: AsyncGenerator<Uint8Array, void, undefined>,
): Promise<{ separator: string | undefined; chunks: AsyncGenerator<Uint8Array, void, undefined> }> {
  let head: Buffer = Buffer.alloc(0);
  let ended = false;
  while (head.length < LONGEST && !head.includes('\n') && !head.includes('\r')) {
    const { done, value } = await bytes.next();
    if (done) {
      ended = true;
      break;
    }
    head = head.length === 0 ? Buffer.from(value.buffer, value.byteOffset, value.length) : Buffer.concat([head, value]);
  }
  const separator = SEPARATOR.exec(head.toString('utf8', 0, LONGEST))?.[1];
  const chunks = async function* () {
    try {
      if (head.length > 0) yield head;
      if (!ended) yield* bytes;
    } finally {
      await bytes.return();
    }
  };
  return { separator, chunks: chunks() };
}
