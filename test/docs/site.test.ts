import { existsSync, readdirSync } from 'node:fs';
import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { guides } from '../../scripts/docs/site.mjs';

describe('the site', () => {
  const listed = guides() as { file: string; title: string; section: string }[];
  const files = listed.map(({ file }) => relative('.', file).replaceAll('\\', '/'));

  it('has every guide, as docs/README.md lists them', () => {
    const pages = ['docs', 'docs/internals'].flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.md'))
        .map((name) => `${folder}/${name}`),
    );
    expect(pages.filter((page) => !files.includes(page))).toEqual([]);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
  });

  it('has one place and one title for each guide', () => {
    expect(new Set(files).size).toBe(files.length);
    expect(new Set(listed.map(({ title }) => title)).size).toBe(listed.length);
    expect(listed.filter(({ section }) => !section)).toEqual([]);
  });
});
