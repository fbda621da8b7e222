/** Labels by name. */
export type Labels = Readonly<Record<string, string>>;

/** One value with its labels. */
export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

/** A metric with its samples. */
export interface MetricFamily {
  /** With its base unit at the end, and `_total` for counters. */
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Families without samples are left out: an unknown value is not zero. */
export function renderFamilies(families: readonly MetricFamily[]): string {
  const texts = families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) =>
      [
        `# HELP ${name} ${escapeText(help)}`,
        `# TYPE ${name} ${type}`,
        ...samples.map(({ labels = {}, value }) => `${name}${renderLabels(labels)} ${renderValue(value)}`),
      ].join('\n'),
    );
  return texts.length === 0 ? '' : `${texts.join('\n')}\n`;
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escapeText(value).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function renderValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
