import { catalogue } from './catalogue.ts';

/** The text of docs/reference/metrics.md, which `node supervisor/telemetry/prometheus/write-metrics-doc.ts` writes. */
export function renderMetricsDoc(): string {
  const rows = catalogue.map(
    ({ name, type, help, labels }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`,
  );
  return `# Metrics

\`GET /metrics\` answers in Prometheus text format 0.0.4. The figures are the same as on the page and over MQTT, in base
units. A figure that is not known has no sample: a camera that is offline has no frame rate, rather than a frame rate of zero.
[grafana.json](grafana.json) is a dashboard for these metrics. This page is generated from the code.

The route needs a viewer's key. A scrape configuration for Prometheus:

\`\`\`yaml
scrape_configs:
  - job_name: rushlight
    scheme: https
    authorization:
      credentials_file: /etc/prometheus/rushlight.key
    tls_config:
      ca_file: /etc/prometheus/rushlight.pem # the appliance's own certificate
    static_configs:
      - targets: [stage-hub.local, left.local]
\`\`\`

| metric | type | labels | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
