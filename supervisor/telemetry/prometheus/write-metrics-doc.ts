import { writeFile } from 'node:fs/promises';
import { renderMetricsDoc } from './metrics-doc.ts';

await writeFile(new URL('../../../docs/reference/metrics.md', import.meta.url), renderMetricsDoc());
