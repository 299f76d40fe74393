// What the programs of this folder share. They run in processes of their own: what they test may end a process.

/** Texts of two labels that differ in every word. */
export function texts(rows) {
  const words = { animal: ['cat', 'dog', 'horse', 'fur'], food: ['bread', 'soup', 'cheese', 'salt'] };
  return Array.from({ length: rows }, (_, row) => {
    const label = row % 2 === 0 ? 'animal' : 'food';
    const text = Array.from({ length: 1 + (row % 7) }, (_, i) => words[label][(row * 3 + i) % 4]).join(' ');
    return { label, text };
  });
}

export const SMALL = { embeddingDim: 8, hiddenSize: 8, batchSize: 8, lr: 0.02, epochs: 3, threads: 2 };

/** The code of the error with which `work` ends, or `none`. */
export async function codeOf(work) {
  try {
    await work();
    return 'none';
  } catch (error) {
    return String(error?.code ?? error);
  }
}
