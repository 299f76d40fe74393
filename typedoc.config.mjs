// One site of guides and reference: `npm run docs`. The guides stand in the order and under the headings of docs/README.md.
import { guides } from './scripts/docs/site.mjs';

const listed = guides();

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  entryPoints: ['src/index.ts', 'src/torch/index.ts', 'src/lesson/index.ts', 'src/serve/index.ts', 'src/web/index.ts'],
  tsconfig: 'tsconfig.build.json',
  plugin: ['./scripts/docs/site.mjs'],
  out: 'docs/api',
  name: 'recurra',
  projectDocuments: listed.map(({ file }) => file),
  groupOrder: [...new Set(listed.map(({ section }) => section)), 'Modules', '*'],
  searchInDocuments: true,
  navigation: { includeGroups: true, includeCategories: false, includeFolders: false },
  sort: ['kind', 'instance-first', 'alphabetical-ignoring-documents'],
  router: 'guides',
  customCss: 'scripts/docs/site.css',
  highlightLanguages: [
    'bash',
    'css',
    'dockerfile',
    'html',
    'ini',
    'javascript',
    'json',
    'nginx',
    'python',
    'tsx',
    'typescript',
    'yaml',
  ],
  ignoredHighlightLanguages: ['text', 'csv', 'conll'],
  intentionallyNotExported: [
    'src/models/classifier/explain.ts:EXPLAIN_METHODS',
    'src/web/platform.ts:CompiledModule',
    'src/web/platform.ts:Platform',
  ],
  excludePrivate: true,
  excludeInternal: true,
  disableSources: true,
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
  validation: {
    notExported: true,
    invalidLink: true,
    invalidPath: true,
    notDocumented: true,
    unusedMergeModuleWith: true,
  },
};
