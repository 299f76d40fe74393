/** What the scripts that write figures into pages share. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

/** `text` with what stands between the markers of a script replaced; `name` tells several markers of one script apart. */
export function between(text: string, script: string, content: string, name = '(?:figures|table|picture)'): string {
  const markers = new RegExp(`(<!-- ${name} of scripts/docs/${script}.ts -->\\n)[\\s\\S]*?(<!-- end -->)`);
  if (!markers.test(text)) throw new Error(`The page has no place for the figures of scripts/docs/${script}.ts`);
  return text.replace(markers, (_, begin: string, end: string) => begin + content + end);
}

/** Writes what stands between a script's markers, by page, and its picture. */
export function writePages(script: string, svg: string, pages: Readonly<Record<string, string>>): string[] {
  const picture = `docs/images/${script}.svg`;
  mkdirSync('docs/images', { recursive: true });
  writeFileSync(picture, svg);
  for (const [file, content] of Object.entries(pages))
    writeFileSync(file, between(readFileSync(file, 'utf8'), script, content));
  return [picture, ...Object.keys(pages)];
}

/** Colours by kind of bar, in a light page and in a dark one. */
const KINDS = {
  ours: ['#0969da', '#4493f8'],
  theirs: ['#8c959f', '#656c76'],
  third: ['#d1d9e0', '#3d444d'],
  fourth: ['#4ac26b', '#196c2e'],
  pretrained: ['#d4a72c', '#9e6a03'],
} as const;

/** A bar's kind, which is its class. */
export type Kind = keyof typeof KINDS;

/** A chart on a separate card, so that it can be read wherever it is shown; it follows the reader's theme. */
export function card(
  { width, height }: { width: number; height: number },
  { title, head, note }: { title: string; head: string; note: string },
  kinds: readonly Kind[],
  body: readonly string[],
): string {
  const fills = (theme: 0 | 1, indent: string) =>
    kinds.map((kind) => `${indent}.${kind} { fill: ${KINDS[kind][theme]} }`).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
  <title id="title">${title}</title>
  <style>
    text { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
    .head { font-weight: 600 }
    .small { font-size: 12px; fill: #59636e }
    .name { text-anchor: end }
    .faint { opacity: 0.7 }
    .card { fill: #ffffff; stroke: #d1d9e0 }
${fills(0, '    ')}
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .small { fill: #9198a1 }
      .card { fill: #151b23; stroke: #3d444d }
${fills(1, '      ')}
    }
  </style>
  <rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
  <text class="head" x="16" y="26">${head}</text>
  <text class="small" x="16" y="45">${note}</text>
${body.join('\n')}
</svg>
`;
}
