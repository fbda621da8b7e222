import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { apiMarkdown } from '../contract/api-page.ts';
import { configSchema } from './schema.ts';

/** Path of each generated file, relative to the root of the repository, and the function that makes it. */
export const generatedDocs = {
  'docs/reference/config.md': configMarkdown,
  'docs/reference/rushlight.schema.json': configJsonSchema,
  'docs/reference/api.md': apiMarkdown,
} as const;

/** JSON Schema (2020-12) of rushlight.toml, for editors that check TOML. */
function configJsonSchema(): string {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      const { restarts, secret } = jsonSchema;
      delete jsonSchema.restarts;
      delete jsonSchema.secret;
      if (secret === true) jsonSchema.writeOnly = true;
      if (Array.isArray(restarts) && restarts.length > 0) jsonSchema['x-restarts'] = restarts;
    },
  });
  return `${JSON.stringify({ ...schema, title: 'rushlight.toml' }, undefined, 2)}\n`;
}

/** The reference of all settings. */
function configMarkdown(): string {
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
  'The file is on the first partition of the card, which is labelled `RUSHLIGHT`, so any PC can edit it. Every setting is',
  'optional. A change takes effect while the appliance runs. The last column says which parts a change restarts.',
  '',
  'A mistake changes nothing: the last good settings stay in force, even after a restart. An unknown key counts as a',
  'mistake. You find each mistake, with its line, its key and the expected value, on the page, over MQTT, in the log, and',
  'in `rushlight-config-error.txt` beside the file. The appliance writes nothing else to that folder. Relative paths start',
  'at the folder of the file.',
  '',
  'An editor that supports JSON Schema for TOML can complete and check the file with',
  '[rushlight.schema.json](rushlight.schema.json).',
  '',
  '## Settings made on the page',
  '',
  'The appliance never changes this file. It keeps what you set on the page, or with `PATCH /api/config`, on the data',
  'partition. Those settings override the file, and the page marks them. The most recent change wins: if you later change',
  'the same key in the file, the file counts again. If the file and the overriding settings are valid on their own but not',
  'together, the file counts and the page shows the conflict.',
  '',
  '## Versions',
  '',
  'The appliance reads files of older formats. From a file of a newer format, for example after an update was rolled back,',
  'it skips the keys it does not know and names them in the log.',
  '',
];

function listSection(name: string, list: JsonSchema): string[] {
  const item = asSchema(list.items);
  const branches = item.oneOf?.map(asSchema);
  return [
    `## \`[[${name}]]\``,
    '',
    `${list.description ?? ''}${restartsNote(list)}`,
    '',
    ...(branches?.flatMap((branch) => [
      `### \`${branch.description ?? name}\``,
      '',
      ...kindNote(branch),
      ...fieldTable(branch),
    ]) ?? fieldTable(item)),
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
  if (member.type === 'object') return true;
  const item = asSchema(member.items);
  return member.type === 'array' && (item.oneOf !== undefined || item.type === 'object');
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
  return ` Adding or removing a table restarts: ${restarts(member)}.`;
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
