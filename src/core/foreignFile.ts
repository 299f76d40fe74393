import { open, stat } from 'node:fs/promises';

/** How files of other programs begin, and what they are. */
const KINDS: readonly { bytes: readonly number[]; within?: string; what: string }[] = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], within: '.pkl', what: 'a file that torch.save wrote' },
  { bytes: [0x50, 0x4b, 0x03, 0x04], what: 'a ZIP archive' },
  { bytes: [0x80, 0x02], what: 'a file that torch.save or pickle wrote' },
  { bytes: [0x80, 0x03], what: 'a file that pickle wrote' },
  { bytes: [0x80, 0x04], what: 'a file that pickle wrote' },
  { bytes: [0x80, 0x05], what: 'a file that pickle wrote' },
  { bytes: [0x89, 0x48, 0x44, 0x46], what: 'a file of HDF5, as Keras writes' },
  { bytes: [0x47, 0x47, 0x55, 0x46], what: 'a file of GGUF' },
  { bytes: [0xba, 0x16, 0x4f, 0x2f], what: 'a model of fastText' },
  { bytes: [0x1f, 0x8b], what: 'a file that gzip compressed: decompress it' },
];

/** What to do about weights of PyTorch. */
const PYTORCH =
  ': in Python, safetensors.torch.save_file(model.state_dict(), path) writes its weights in a form that loadFile of recurra/torch reads';

/**
 * Says what a file is by its beginning, where it is one of another program; undefined if that is not known.
 *
 * @internal
 */
export async function foreignFile(path: string): Promise<string | undefined> {
  try {
    // Opening a pipe would wait for somebody who writes.
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
