import type { Status } from '../../contract/index.ts';
import { catalogue } from './catalogue.ts';
import { renderFamilies } from './exposition.ts';

/** The status in Prometheus' format for `/metrics`; docs/reference/metrics.md describes each metric. */
export function renderMetrics(status: Status): string {
  return renderFamilies(
    catalogue.map(({ name, type, help, samples }) => ({ name, type, help, samples: samples(status) })),
  );
}
