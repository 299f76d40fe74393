import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { apiReport, reportPath } from '../../scripts/api/report.mjs';

it('the public surface is the recorded one', async () => {
  const recorded = readFileSync(reportPath, 'utf8');
  expect(await apiReport(), 'the public surface has changed: run `npm run api` and commit test/api/public-api.md').toBe(
    recorded,
  );
});
