import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { unwrap } from '../../common/camel-case.ts';
import { generatedDocs } from './generate-docs.ts';
import { configSchema } from './schema.ts';

it.each(Object.entries(generatedDocs))('%s matches the schema', (file, generate) => {
  const committed = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  expect(committed, 'run: node supervisor/config/generate-docs.ts').toBe(generate());
});

it('every field is described and says what a change restarts', () => {
  const missing: string[] = [];
  const walk = (schema: z.core.$ZodType, path: string) => {
    const inner = unwrap(schema);
    if (inner instanceof z.ZodDiscriminatedUnion) {
      for (const option of inner.options) walk(option, path);
      return;
    }
    const element = inner instanceof z.ZodArray ? unwrap(inner.element) : null;
    if (
      inner instanceof z.ZodArray &&
      (element instanceof z.ZodDiscriminatedUnion || element instanceof z.ZodObject)
    ) {
      walk(inner.element, `${path}[]`);
      return;
    }
    if (!(inner instanceof z.ZodObject)) {
      const meta = z.globalRegistry.get(schema);
      const isKind = inner instanceof z.ZodLiteral && path.endsWith('.kind');
      if (meta?.description === undefined || (meta.restarts === undefined && !isKind)) missing.push(path);
      return;
    }
    for (const [name, member] of Object.entries(inner.shape))
      walk(member as z.core.$ZodType, `${path}.${name}`);
  };
  walk(configSchema, '');
  expect(missing).toEqual([]);
});
