// The RECORD of a Python wheel: the sha256 and the size of every file in it.
// Format: the Python packaging specification "Recording installed projects": CSV lines `path,sha256=digest,size`,
// the digest in base64url without padding.

/** The wheel's RECORD is missing, damaged, or does not agree with a file. */
export class RecordError extends Error {
  name = 'RecordError';
}

/** The cells of one CSV line; paths with a comma are quoted, quotes within doubled. */
function cells(line) {
  const found = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)];
  return found.map(([, quoted, plain]) => (quoted === undefined ? plain : quoted.replaceAll('""', '"')));
}

/** RECORD's text as a map from path to `{ digest, size }`; files listed without a sum (RECORD itself) are skipped. */
export function parseRecord(text) {
  const files = new Map();
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue;
    const parts = cells(line);
    if (parts.length !== 3)
      throw new RecordError(`RECORD has a line that is not path,hash,size: ${line.slice(0, 200)}`);
    const [path, hash, size] = parts;
    if (hash === '') continue;
    const digest = /^sha256=([A-Za-z0-9_-]{43})$/.exec(hash)?.[1];
    if (digest === undefined) throw new RecordError(`RECORD gives ${path} the sum ${hash}; a sha256 is needed`);
    files.set(path, { digest, size: size === '' ? undefined : Number(size) });
  }
  return files;
}

/** Reads the RECORD of an opened wheel (a ZipFile). */
export async function readRecord(zip) {
  const names = [...zip.entries.keys()].filter((name) => /^[^/]+\.dist-info\/RECORD$/.test(name));
  if (names.length !== 1) throw new RecordError(`a wheel has one *.dist-info/RECORD; this file has ${names.length}`);
  return parseRecord((await zip.bytes(names[0])).toString('utf8'));
}

/** RECORD's entry for a file to unpack; throws if there is none. */
export function expectedOf(record, name) {
  const expected = record.get(name);
  if (!expected) throw new RecordError(`${name} is not listed in the wheel's RECORD`);
  return expected;
}

/** Throws a RecordError unless the digest matches. */
export function checkDigest(name, expected, found) {
  if (expected.digest !== found)
    throw new RecordError(
      `${name}: its sha256 is ${found}, the wheel's RECORD says ${expected.digest}. ` +
        'The file is damaged or was changed; fetch the wheel again.',
    );
}
