import { DataError } from '../../core/errors.js';

/** The largest window that the `zstd` command accepts by default: 2^27 bytes, as written with `--long` and level 22. */
const LARGEST_WINDOW = 2 ** 27;

/** The format's own limit for a block. */
const LARGEST_BLOCK = 2 ** 17;

/**
 * Follows the frames and blocks of zstd data and refuses larger sizes than zstd writes: fzstd allocates the window that
 * a header states, up to 2 GB for a few bytes of file, and moves all of it for each block.
 *
 * @internal
 */
export class ZstdFrames {
  readonly #file: string | undefined;
  /** The bytes of a header so far. */
  #head: number[] = [];
  #skip = 0;
  #inFrame = false;
  #checksum = 0;

  constructor(file: string | undefined) {
    this.#file = file;
  }

  /** Takes the next bytes, before they are decompressed. */
  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#skip > 0) {
        const count = Math.min(this.#skip, bytes.length - at);
        this.#skip -= count;
        at += count;
      } else {
        this.#head.push(bytes[at++]!);
        if (this.#inFrame ? this.#block() : this.#frame()) this.#head = [];
      }
    }
  }

  /** Whether the header was complete. */
  #frame(): boolean {
    const head = this.#head;
    if (head.length < 5) return false;
    if ((head[0]! & 0xf0) === 0x50) {
      // A skippable frame: its length follows the magic number.
      if (head.length < 8) return false;
      this.#skip = this.#number(4, 4);
      return true;
    }
    const flags = head[4]!;
    const single = (flags & 32) !== 0;
    const contentBytes = flags >> 6 > 0 ? 1 << (flags >> 6) : Number(single);
    const contentAt = 5 + Number(!single) + [0, 1, 2, 4][flags & 3]!;
    if (head.length < contentAt + contentBytes) return false;
    const window = single
      ? this.#number(contentAt, contentBytes) + (contentBytes === 2 ? 256 : 0)
      : 2 ** (10 + (head[5]! >> 3)) * (1 + (head[5]! & 7) / 8);
    if (window > LARGEST_WINDOW) {
      const message = `the zstd data needs a window of ${window} bytes, more than ${LARGEST_WINDOW}: decompress it first, or compress it without --long above 27`;
      throw new DataError('INVALID_FILE', message, { file: this.#file });
    }
    this.#checksum = flags & 4;
    this.#inFrame = true;
    return true;
  }

  #block(): boolean {
    if (this.#head.length < 3) return false;
    const header = this.#number(0, 3);
    const size = header >> 3;
    if (size > LARGEST_BLOCK) {
      const message = `the zstd data is damaged (a block of ${size} bytes): copy or download the file again`;
      throw new DataError('INVALID_FILE', message, { file: this.#file });
    }
    this.#skip = ((header >> 1) & 3) === 1 ? 1 : size;
    if ((header & 1) === 1) {
      this.#skip += this.#checksum;
      this.#inFrame = false;
    }
    return true;
  }

  /** A little-endian number of the header. */
  #number(at: number, bytes: number): number {
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + this.#head[at + i]!;
    return value;
  }
}
