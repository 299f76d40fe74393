// Reads a Parquet file. Its reader is a library of ES modules, which not every Node can require.
import { readParquet } from 'recurra';

const labels = [];
for await (const { label } of readParquet('class-label.parquet', { text: 'body', label: 'number' })) labels.push(label);
console.log(JSON.stringify({ rows: labels.length > 0, named: labels.every((label) => typeof label === 'string') }));
