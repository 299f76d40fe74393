import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { appendFile, rename, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ModelFileError, RecurraError, readCsv, TextClassifier } from '../../src/index.js';
import { loadFile, saveFile, tensor } from '../../src/torch/index.js';
import { temporaryFolder } from '../support/folder.js';
import { torchHalf } from '../support/halves.mjs';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const programs = join(import.meta.dirname, 'programs');
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** What `saveInto.mjs` meets: with a model, and with tensors where those are tested. */
const REFUSED = torchHalf ? ['IO', 'IO'] : ['IO'];

interface Saved {
  codes: string[];
  label: string;
  files: string[];
}

/** Runs `saveInto.mjs` under a limit that the shell sets, such as `ulimit -f 64`. */
function saveInto(path: string, { uid = 0, limit = 'true' } = {}): Saved {
  const command = `${limit} && exec "$0" "$@"`;
  const args = ['-c', command, process.execPath, join(programs, 'saveInto.mjs'), path, String(uid)];
  const { status, signal, stdout, stderr } = spawnSync('bash', args, { encoding: 'utf8', timeout: 25_000 });
  if (status !== 0) throw new Error(`ended with ${signal ?? status}: ${stderr}`);
  return JSON.parse(stdout) as Saved;
}

describe('a model that cannot be written', () => {
  it('because no file may be so large: the old file stays whole, no temporary one stays, all goes on', () => {
    const place = join(folder, 'limited');
    mkdirSync(place);
    const path = join(place, 'model');
    writeFileSync(path, 'the old one');
    const { codes, label, files } = saveInto(path, { limit: 'ulimit -f 64' });
    expect(codes).toEqual(REFUSED);
    expect(label).toMatch(/animal|food/);
    expect(files).toEqual(['model']);
    expect(readFileSync(path, 'utf8')).toBe('the old one');
  });

  it('because the disk is full: the same', ({ skip }) => {
    const place = join(folder, 'small');
    mkdirSync(place);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', place]);
    skip(mounted.status !== 0, 'a small file system can only be mounted by root');
    try {
      const path = join(place, 'model');
      writeFileSync(path, 'the old one');
      const { codes, files } = saveInto(path);
      expect(codes).toEqual(REFUSED);
      expect(files).toEqual(['model']);
      expect(readFileSync(path, 'utf8')).toBe('the old one');
    } finally {
      spawnSync('umount', [place]);
    }
  });

  it('because the folder is read-only, is missing, or is a file', () => {
    const place = join(folder, 'readonly');
    mkdirSync(place);
    writeFileSync(join(place, 'model'), 'the old one');
    chmodSync(folder, 0o755);
    chmodSync(place, 0o555);
    const { codes } = saveInto(join(place, 'model'), { uid: isRoot ? NOBODY : 0 });
    expect(codes).toEqual(REFUSED);
    expect(readdirSync(place)).toEqual(['model']);
    expect(readFileSync(join(place, 'model'), 'utf8')).toBe('the old one');
  });

  it('because a device, a folder or nothing is there', async () => {
    using model = await TextClassifier.train(topicTexts(30), { embeddingDim: 4, hiddenSize: 4, epochs: 1 });
    for (const path of ['/dev/null', '/dev/full', folder, join(folder, 'no', 'model'), join('/dev/null', 'model')]) {
      await expect(model.save(path), path).rejects.toMatchObject({ code: 'IO' });
      if (torchHalf) await expect(saveFile({ a: tensor([1]) }, path), path).rejects.toMatchObject({ code: 'IO' });
    }
  });
});

it('ended by a signal at any moment of a save: the file is whole, the old one or the new', async () => {
  const rounds = Number(process.env.RECURRA_ROUNDS ?? 6);
  const place = join(folder, 'ended');
  mkdirSync(place);
  const path = join(place, 'model');
  for (let round = 0; round < rounds; round++) {
    const child = spawn(process.execPath, [join(programs, 'saveLoop.mjs'), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await sleep(20 + ((round * 31) % 90));
    child.kill((['SIGINT', 'SIGKILL', 'SIGTERM'] as const)[round % 3]);
    await ended;
    if (readdirSync(place).includes('model')) (await TextClassifier.load(path)).close();
    else expect(round).toBe(0);
  }
}, 60_000);

describe('files that change or vanish while they are read', () => {
  it('a model: a whole one, or a typed error', async () => {
    using model = await TextClassifier.train(topicTexts(60), { embeddingDim: 2_048, hiddenSize: 8, epochs: 1 });
    const path = join(folder, 'changing');
    await model.save(path);
    const whole = readFileSync(path);
    const changes = [
      () => unlink(path),
      () => truncate(path, 1_000),
      () => appendFile(path, 'more'),
      () => writeFile(path, whole.subarray(0, whole.length / 2)),
      () => writeFile(path, Buffer.alloc(whole.length)),
      async () => {
        await writeFile(`${path}.new`, whole);
        await rename(`${path}.new`, path);
      },
    ];
    const outcomes = new Set<string>();
    for (let round = 0; round < 30; round++) {
      await writeFile(path, whole);
      const loading = [TextClassifier.load(path), ...(torchHalf ? [loadFile(path)] : [])].map((promise) =>
        promise.then(
          (loaded) => {
            if (loaded instanceof TextClassifier) loaded.close();
            return 'whole';
          },
          (error: unknown) => {
            expect(error).toBeInstanceOf(ModelFileError);
            return (error as ModelFileError).code;
          },
        ),
      );
      await changes[round % changes.length]!();
      for (const outcome of await Promise.all(loading)) outcomes.add(outcome);
    }
    for (const outcome of outcomes) expect(outcome).toMatch(/^(whole|IO|FILE_NOT_FOUND|INVALID_FILE)$/);
  });

  it('a table: its rows, or a typed error', async () => {
    const path = join(folder, 'changing.csv');
    const lines = topicTexts(20_000).map(({ label, text }) => `${label},"${text}"\n`);
    for (const change of [() => truncate(path, 100_001), () => unlink(path), () => appendFile(path, 'animal,"cat\n')]) {
      await writeFile(path, `topic,body\n${lines.join('')}`);
      let rows = 0;
      try {
        for await (const { text } of readCsv(path, { text: 'body', label: 'topic' })) {
          expect(typeof text).toBe('string');
          if (rows++ === 10) await change();
        }
        expect(rows).toBeGreaterThan(10);
      } catch (error) {
        expect(error).toBeInstanceOf(RecurraError);
      }
    }
  });
});
