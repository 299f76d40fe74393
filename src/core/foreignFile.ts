import { open, stat } from 'node:fs/promises';

/** First bytes of files of other programs, and what those files are. */
const KINDS: readonly { bytes: readonly number[]; within?: string; what: string }[] = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], within: '.pkl', what: 'a file written by torch.save' },
  { bytes: [0x50, 0x4b, 0x03, 0x04], what: 'a ZIP archive' },
  { bytes: [0x80, 0x02], what: 'a file written by torch.save or pickle' },
  { bytes: [0x80, 0x03], what: 'a file written by pickle' },
  { bytes: [0x80, 0x04], what: 'a file written by pickle' },
  { bytes: [0x80, 0x05], what: 'a file written by pickle' },
  { bytes: [0x89, 0x48, 0x44, 0x46], what: 'an HDF5 file, as written by Keras' },
  { bytes: [0x47, 0x47, 0x55, 0x46], what: 'a GGUF file' },
  { bytes: [0xba, 0x16, 0x4f, 0x2f], what: 'a fastText model' },
  { bytes: [0x1f, 0x8b], what: 'a gzip-compressed file: decompress it' },
];

/** Advice for PyTorch weights. */
const PYTORCH =
  ': in Python, safetensors.torch.save_file(model.state_dict(), path) writes weights that loadFile of recurra/torch can read';

/**
 * Identifies a file of another program by its first bytes; undefined if unknown.
 *
 * @internal
 */
export async function foreignFile(path: string): Promise<string | undefined> {
  try {
    // Opening a pipe would wait for a writer.
    if (!(await stat(path)).isFile()) return undefined;
    const handle = await open(path);
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(256), 0, 256, 0);
      const head = buffer.subarray(0, bytesRead);
      const found = KINDS.find(
        ({ bytes, within = '' }) => bytes.every((byte, i) => head[i] === byte) && head.includes(within),
      );
      return found && found.what + (/torch|pickle/.test(found.what) ? PYTORCH : '');
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}
