import { createHash } from 'node:crypto';

/** A tensor of a file that is put together by hand: what the header says of it need not be true. */
export interface Claim {
  dtype: string;
  shape: (number | string)[];
  data_offsets: unknown;
}

/** A file in the form of safetensors: length of the header, the header, bytes. */
export function file(header: unknown, bytes: Uint8Array, length?: bigint): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(text.length));
  return Buffer.concat([size, text, bytes]);
}

/** The header and the bytes of a file. */
export function parts(whole: Buffer): {
  header: Record<string, Claim>;
  metadata: Record<string, string>;
  bytes: Buffer;
} {
  const end = 8 + Number(whole.readBigUInt64LE(0));
  const { __metadata__: metadata, ...header } = JSON.parse(whole.toString('utf8', 8, end));
  return { header, metadata, bytes: whole.subarray(end) };
}

const DTYPES: Record<string, string> = Object.fromEntries(
  ['F32', 'F64', 'I64', 'I32', 'U32', 'U8', 'I8', 'BOOL'].map((name) => [name, name]),
);

/** As `kernels`' own checksum: a hostile file has the right one. */
export function sealed(header: Record<string, Claim>, metadata: Record<string, string>, bytes: Buffer): Buffer {
  const hash = createHash('sha256');
  const field = (data: string | Uint8Array) => {
    const size = Buffer.alloc(8);
    const content = Buffer.from(data as Uint8Array);
    size.writeBigUInt64LE(BigInt(content.length));
    hash.update(size).update(content);
  };
  const order = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const { sha256: _, ...others } = metadata;
  for (const key of Object.keys(others).sort(order)) {
    field(key);
    field(others[key]!);
  }
  for (const name of Object.keys(header).sort(order)) {
    const { dtype, shape, data_offsets } = header[name]!;
    const [start, end] = data_offsets as [number, number];
    field(name);
    field(`${DTYPES[dtype]} [${shape.join(', ')}]`);
    field(bytes.subarray(start, end));
  }
  return file({ __metadata__: { ...others, sha256: hash.digest('hex') }, ...header }, bytes);
}
