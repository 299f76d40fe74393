// Records the public surface in test/api/public-api.md, after the JavaScript was built.
//   npm run api

import { writeFileSync } from 'node:fs';
import { apiReport, reportPath } from './api/report.mjs';

try {
  writeFileSync(reportPath, await apiReport());
  process.stdout.write(`${reportPath} written\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
