import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { configSchema } from './schema.ts';

/** Where each generated file lies, relative to the root of the repository, and what makes it. */
export const generatedDocs = {
  'docs/config.md': configMarkdown,
  'docs/rushlight.schema.json': configJsonSchema,
} as const;

/** JSON Schema (2020-12) of rushlight.toml, for editors that check TOML. */
export function configJsonSchema(): string {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      const { restarts } = jsonSchema;
      delete jsonSchema.restarts;
      if (Array.isArray(restarts) && restarts.length > 0) jsonSchema['x-restarts'] = restarts;
    },
  });
  return `${JSON.stringify({ ...schema, title: 'rushlight.toml' }, undefined, 2)}\n`;
}

/** The reference of all settings. */
export function configMarkdown(): string {
  const root = z.toJSONSchema(configSchema, { io: 'input' });
  const tables = Object.entries(root.properties ?? {}).flatMap(([name, property]) => {
    const member = asSchema(property);
    if (member.type === 'object') return tableSection(`[${name}]`, member);
    if (member.type === 'array' && member.items !== undefined) return listSection(name, member);
    return [];
  });
  return [
    ...preamble,
    '## The top of the file',
    '',
    ...fieldTable(root, (kind) => !isTable(kind)),
    ...tables,
  ].join('\n');
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

const preamble = [
  '<!-- Generated from supervisor/config/schema.ts by supervisor/config/generate-docs.ts. -->',
  '',
  '# rushlight.toml',
  '',
  'On the appliance the file lies on the first partition, labelled `RUSHLIGHT`, so that any PC can edit it. Every',
  'setting is optional. A change is taken over while the appliance runs, and restarts at most what the last column names:',
  '`page` (page and API), `mdns` (the announcement), `hub` (on a hub: its side of the links to cameras), `camera` (on a',
  'camera: the link to its hub), `mqtt`, `media` (WebRTC), `gpio` (what watches the lines of the header), `pipelines` (the',
  'pipeline of that source), `remotes` (that feed). `nothing`: the new value counts from its next use, such as the next take.',
  'The access point reads its settings when it starts.',
  '',
  'A file that is wrong changes nothing: the last good settings stay in force, also across boots, and each problem is',
  'told with its line, its key and what was expected: on the page, by MQTT, in the log, and in',
  '`rushlight-config-error.txt` beside the file. That note is the only thing the appliance writes there. An unknown key',
  'is a problem, too. A relative path starts at the folder of this file.',
  '',
  '## Settings made on the page',
  '',
  'The appliance never writes into the file. What is set on the page or through `PATCH /api/config` is kept on the data',
  'partition, stands over the file, and is shown as such. Each such setting is dropped as soon as the file says',
  'something else for that key than when it was made: the last one to speak is right. Should a file and what was set',
  'over it each be valid, but not together, the file counts and the conflict is shown.',
  '',
  '## Versions',
  '',
  'A file of an older format is understood. Of a newer one, as an update that was rolled back leaves it, unknown keys',
  'are skipped and named in the log.',
  '',
];

function listSection(name: string, list: JsonSchema): string[] {
  const item = asSchema(list.items);
  const branches = (item.oneOf ?? item.anyOf ?? [item]).map(asSchema);
  return [
    `## \`[[${name}]]\``,
    '',
    `${list.description ?? ''}${restartsNote(list)}`,
    '',
    ...branches.flatMap((branch) => [
      `### \`${branch.description ?? name}\``,
      '',
      ...kindNote(branch),
      ...fieldTable(branch),
    ]),
  ];
}

function kindNote(branch: JsonSchema): string[] {
  const { description } = asSchema(branch.properties?.kind ?? {});
  return description === undefined ? [] : [description, ''];
}

function tableSection(title: string, member: JsonSchema): string[] {
  return [`## \`${title}\``, '', member.description ?? '', '', ...fieldTable(member)];
}

function fieldTable(table: JsonSchema, wanted: (member: JsonSchema) => boolean = () => true): string[] {
  const rows = Object.entries(table.properties ?? {})
    .map(([name, property]) => ({ name, member: asSchema(property) }))
    .filter(({ name, member }) => name !== 'kind' && wanted(member))
    .map(({ name, member }) =>
      row([
        `\`${name}\``,
        typeOf(member),
        defaultOf(table, name, member),
        member.description ?? '',
        restarts(member),
      ]),
    );
  return [
    row(['key', 'value', 'default', 'meaning', 'a change restarts']),
    row(['---', '---', '---', '---', '---']),
    ...rows,
    '',
  ];
}

function isTable(member: JsonSchema): boolean {
  return member.type === 'object' || (member.type === 'array' && asSchema(member.items).oneOf !== undefined);
}

function typeOf(member: JsonSchema): string {
  if (member.enum !== undefined) return member.enum.map(code).join(', ');
  if (member.const !== undefined) return code(member.const);
  const choices = member.anyOf ?? member.oneOf;
  if (choices !== undefined)
    return [...new Set(choices.map((choice) => typeOf(asSchema(choice))))].join(' or ');
  if (member.type === 'integer' || member.type === 'number') return numberOf(member);
  if (member.type === 'boolean') return '`true`, `false`';
  if (member.type === 'array')
    return member.prefixItems === undefined ? 'list' : `list of ${member.prefixItems.length}`;
  return member.type === 'object' ? 'table' : 'text';
}

function numberOf({ type, minimum, maximum }: JsonSchema): string {
  const kind = type === 'integer' ? 'whole number' : 'number';
  return minimum === undefined ? kind : `${kind}, ${minimum} to ${maximum}`;
}

function defaultOf(table: JsonSchema, name: string, member: JsonSchema): string {
  if (table.required?.includes(name) === true) return 'required';
  return member.default === undefined ? '' : code(member.default);
}

function restarts(member: JsonSchema): string {
  const scopes = member.restarts;
  return Array.isArray(scopes) && scopes.length > 0 ? scopes.join(', ') : 'nothing';
}

function restartsNote(member: JsonSchema): string {
  return ` A table that comes or goes restarts: ${restarts(member)}.`;
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function asSchema(schema: unknown): JsonSchema {
  return typeof schema === 'object' && schema !== null ? (schema as JsonSchema) : {};
}

if (import.meta.main) {
  for (const [file, generate] of Object.entries(generatedDocs)) {
    writeFileSync(new URL(`../../${file}`, import.meta.url), generate());
  }
}
