// Word vectors beside fastText's: paired times on the same threads, and the accuracy of classifiers that begin with either.
//
//   pip install fasttext-wheel
//   node --import tsx bench/quality/vectors.ts FOLDER [--python python] [--threads 2] [--rounds 3] [--texts N] [--subwords]
//     [--rows 500,2000, or 0 for none] [--seeds 2]
//
// FOLDER has AG News' train.csv and test.csv. The texts of all training rows are learned from, titles and descriptions; of the labels the
// classifiers see those of the first rows alone. fastText is given the words of `basic_english`. Seconds are those of the whole work, from a
// list of texts or a file to vectors; processor seconds count all threads.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { basicEnglish, learnVectors, type Row, readCsv, TextClassifier } from '../../src/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: 'python3' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '1' },
    texts: { type: 'string' },
    subwords: { type: 'boolean', default: false },
    rows: { type: 'string', default: '500,2000' },
    seeds: { type: 'string', default: '2' },
  },
});
const [data] = positionals;
if (data === undefined) throw new Error('name the folder of AG News');
const threads = Number(values.threads);
const [minn, maxn] = values.subwords ? [3, 6] : [0, 0];

const FASTTEXT = `
import sys, time, resource, fasttext
source, out, threads, minn, maxn = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
began = time.time()
model = fasttext.train_unsupervised(source, model="skipgram", dim=64, ws=8, neg=5, epoch=5, lr=0.05, minCount=3, t=1e-4,
    minn=minn, maxn=maxn, bucket=2000000, thread=threads, verbose=0)
seconds = time.time() - began
usage = resource.getrusage(resource.RUSAGE_SELF)
with open(out, "w") as file:
    words = [word for word in model.words if word != "</s>"]
    file.write(f"{len(words)} 64\\n")
    for word in words:
        file.write(word + " " + " ".join(f"{value:.7g}" for value in model.get_word_vector(word)) + "\\n")
print(seconds, usage.ru_utime + usage.ru_stime)
`;

async function rowsOf(name: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of readCsv(join(data!, name), { text: [2, 3], label: 1 })) rows.push(row);
  return rows;
}

const folder = mkdtempSync(join(tmpdir(), 'vectors-'));
try {
  const [train, test] = [await rowsOf('train.csv'), await rowsOf('test.csv')];
  const texts = train.slice(0, values.texts === undefined ? undefined : Number(values.texts)).map(({ text }) => text);
  const lines = join(folder, 'texts.txt');
  writeFileSync(lines, `${texts.map((text) => basicEnglish(text).join(' ')).join('\n')}\n`);
  const files = { ours: join(folder, 'ours.vec'), fastText: join(folder, 'fasttext.vec') };

  for (let round = 0; round < Number(values.rounds); round++) {
    const began = performance.now();
    const before = process.cpuUsage();
    const vectors = await learnVectors(texts, { threads, seed: round, ...(maxn > 0 && { minn, maxn }) });
    const cpu = process.cpuUsage(before);
    const seconds = (performance.now() - began) / 1000;
    console.log(`ours     ${seconds.toFixed(1)} s, ${((cpu.user + cpu.system) / 1e6).toFixed(1)} processor seconds`);
    await vectors.save(files.ours);
    for (const word of ['microsoft', 'baseball', 'iraq']) {
      console.log(`  ${word}: ${(await vectors.nearest(word, 6)).map((near) => near.word).join(' ')}`);
    }
    const args = ['-c', FASTTEXT, lines, files.fastText, values.threads, String(minn), String(maxn)];
    const run = spawnSync(values.python, args, { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    const [theirs, processor] = run.stdout.trim().split(' ').map(Number);
    console.log(`fastText ${theirs!.toFixed(1)} s, ${processor!.toFixed(1)} processor seconds`);
  }

  for (const count of values.rows
    .split(',')
    .map(Number)
    .filter((rows) => rows > 0)) {
    for (const [name, file] of [['none', undefined], ...Object.entries(files)] as const) {
      const accuracies: number[] = [];
      for (let seed = 0; seed < Number(values.seeds); seed++) {
        const model = await TextClassifier.train(train.slice(0, count), {
          ...(file !== undefined && { embeddings: file }),
          linear: false,
          seed,
          threads,
        });
        accuracies.push((await model.evaluate(test)).accuracy);
        await model.close();
      }
      const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
      const each = accuracies.map((accuracy) => (100 * accuracy).toFixed(1)).join(', ');
      console.log(`${count} rows, vectors of ${name}: ${(100 * mean).toFixed(1)} (${each})`);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
