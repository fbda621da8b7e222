/** Every setting of the schema, and another value for each, so that a test can change one after the other. */
import { z } from 'zod';
import { configSchema } from '../config/schema.ts';

/** What a TOML file holds. */
export type Toml = Record<string, unknown>;

/** Another value, if the schema alone does not give one with a visible effect. */
const others: Readonly<Record<string, unknown>> = {
  role: 'camera',
  name: 'other',
  id: 'other',
  label: 'Other',
  hub: 'http://other',
  upstream: 'http://other',
  hawkbit_url: 'http://other',
  'mqtt.url': 'mqtt://other',
  'update.url': 'http://other',
  'source.url': 'rtsp://other/1',
  'output.url': 'https://other/{feed}',
  'output.ca_file': 'b.pem',
  feed: '*',
  password: 'other',
  token: 'other',
  tls_fingerprint: 'bb'.repeat(32),
  listen: ['127.0.0.1', '192.0.2.1'],
  addresses: ['192.0.2.1'],
  window: '02:00-05:00',
  channel: 'beta',
  access_point_ssid: 'other',
  discovery_prefix: 'other',
  birth_topic: 'other/status',
  username: 'other',
  device: 'usb-1',
  controls: { gain: 2 },
  mode: '1920:1080',
  roi: [0, 0, 0.5, 0.5],
  encoder: 'software',
  small: 'off',
  'masters.path': '/masters',
  'record_button.gpio': 7,
};

/** One setting. */
export interface Setting {
  readonly path: string;
  /** The list it is in, and of a source the kind that has it. */
  readonly list: 'source' | 'output' | null;
  readonly kind: string | null;
  readonly published: readonly string[];
  readonly schema: z.core.JSONSchema.BaseSchema;
}

/** Every setting with its description in docs/reference/config.md; both are made from this schema. */
export function settings(): Setting[] {
  const root = z.toJSONSchema(configSchema, { io: 'input' });
  const found: Setting[] = [];
  const walk = (
    table: z.core.JSONSchema.BaseSchema,
    prefix: string,
    list: Setting['list'],
    kind: string | null,
  ) => {
    for (const [name, property] of Object.entries(table.properties ?? {})) {
      if (typeof property !== 'object' || name === 'kind' || name === 'config_version') continue;
      const schema: z.core.JSONSchema.BaseSchema = property;
      const path = `${prefix}${name}`;
      // Feeds from elsewhere and cameras that are plugged in have tests of their own.
      if (path === 'remote' || path === 'devices') continue;
      if (path === 'source') {
        const { items } = schema;
        const kinds = typeof items === 'object' && !Array.isArray(items) ? (items.oneOf ?? []) : [];
        for (const one of kinds) {
          const named = typeof one === 'object' ? one.properties?.kind : undefined;
          if (typeof one === 'object' && typeof named === 'object')
            walk(one, 'source.', 'source', String(named.const));
        }
      } else if (path === 'output') {
        const { items } = schema;
        if (typeof items === 'object' && !Array.isArray(items)) walk(items, 'output.', 'output', null);
      } else if (schema.type === 'object' && schema.properties !== undefined)
        walk(schema, `${path}.`, null, null);
      else
        found.push({ path, list, kind, schema, published: (schema.restarts as string[] | undefined) ?? [] });
    }
  };
  walk(root, '', null, null);
  return found;
}

/** A value that is valid and differs from `now`. */
export function otherValue({ path, schema }: Setting, now: unknown): unknown {
  const name = path.split('.').at(-1) ?? '';
  if (path in others) return others[path];
  if (name in others) return others[name];
  if (/(_file|^source\.path)$/.test(path)) return 'b';
  const before = now ?? schema.default;
  if (schema.type === 'boolean') return before !== true;
  const choices = schema.enum ?? schema.anyOf?.flatMap((one) => (typeof one === 'object' ? [one.const] : []));
  const choice = choices?.find((one) => one !== undefined && one !== before);
  if (choice !== undefined) return choice;
  if (schema.type !== 'integer' && schema.type !== 'number') throw new Error(`no other value for ${path}`);
  const step = schema.multipleOf ?? 1;
  return typeof before === 'number'
    ? before + (before + step > (schema.maximum ?? Number.POSITIVE_INFINITY) ? -step : step)
    : (schema.minimum ?? 0) + step;
}

/** The settings with this one changed; of a list, in every entry. */
export function change(toml: Toml, { path, list }: Setting, value: unknown): Toml {
  const [head = '', name = ''] = path.split('.');
  if (name === '') return { ...toml, [head]: value };
  if (list !== null)
    return { ...toml, [list]: (toml[list] as Toml[]).map((one) => ({ ...one, [name]: value })) };
  return { ...toml, [head]: { ...(toml[head] as Toml | undefined), [name]: value } };
}

/** The setting's value; of a list, the one in its first entry. */
export function read(toml: Toml, { path, list }: Setting): unknown {
  const [head = '', name = ''] = path.split('.');
  const value = list === null ? toml[head] : (toml[list] as Toml[])[0];
  return name === '' ? value : (value as Toml | undefined)?.[name];
}
