import { z } from 'zod';

/**
 * The used parts of Eclipse hawkBit's Direct Device Integration API (v1); see its public REST reference. Unknown members are
 * ignored: the server adds some between versions.
 */
const linkSchema = z.object({ href: z.url() });

/** `GET /{tenant}/controller/v1/{controllerId}`: how often to ask, and what to do. */
export const controllerBaseSchema = z.object({
  config: z.object({ polling: z.object({ sleep: z.string() }) }).optional(),
  _links: z
    .object({
      deploymentBase: linkSchema.optional(),
      cancelAction: linkSchema.optional(),
      configData: linkSchema.optional(),
    })
    .default({}),
});

const artifactSchema = z.object({
  filename: z.string(),
  hashes: z.object({ sha256: z.string().regex(/^[0-9a-fA-F]{64}$/) }),
  size: z.int().nonnegative(),
  _links: z.record(z.string(), linkSchema),
});

/** `GET …/deploymentBase/{actionId}` */
export const deploymentSchema = z.object({
  id: z.string(),
  deployment: z.object({
    download: z.enum(['skip', 'attempt', 'forced']),
    update: z.enum(['skip', 'attempt', 'forced']),
    maintenanceWindow: z.enum(['available', 'unavailable']).optional(),
    chunks: z.array(
      z.object({
        part: z.string(),
        version: z.string(),
        name: z.string(),
        artifacts: z.array(artifactSchema),
      }),
    ),
  }),
});

/** `GET …/cancelAction/{actionId}` */
export const cancelSchema = z.object({ id: z.string(), cancelAction: z.object({ stopId: z.string() }) });

/** See {@link deploymentSchema}. */
export type Deployment = z.infer<typeof deploymentSchema>;

/** Body of `POST …/{deploymentBase|cancelAction}/{actionId}/feedback`. */
export interface Feedback {
  readonly status: {
    readonly execution:
      | 'proceeding'
      | 'download'
      | 'downloaded'
      | 'scheduled'
      | 'rejected'
      | 'canceled'
      | 'closed';
    readonly result: { readonly finished: 'none' | 'success' | 'failure' };
    readonly details: readonly string[];
  };
}

/** What a deployment asks this machine to install: its one bundle. */
export interface Assignment {
  readonly actionId: string;
  readonly version: string;
  readonly url: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** `forced` by the operator, `attempt` when it suits, `skip`: only download. */
  readonly update: 'skip' | 'attempt' | 'forced';
  /** The server's own maintenance window is open, or there is none. */
  readonly mayInstall: boolean;
}

/** The bundle of a deployment; null if it contains none, or more than one. */
export function assignmentOf({ id, deployment }: Deployment): Assignment | null {
  const bundles = deployment.chunks.flatMap((chunk) =>
    chunk.artifacts
      .filter(({ filename }) => filename.endsWith('.raucb'))
      .map((artifact) => ({ version: chunk.version, artifact })),
  );
  const [only] = bundles;
  if (only === undefined || bundles.length > 1) return null;
  const { artifact } = only;
  const url = artifact._links.download?.href ?? artifact._links['download-http']?.href;
  if (url === undefined) return null;
  return {
    actionId: id,
    version: only.version,
    url,
    sha256: artifact.hashes.sha256.toLowerCase(),
    sizeBytes: artifact.size,
    update: deployment.update,
    mayInstall: deployment.maintenanceWindow !== 'unavailable',
  };
}

/** `HH:MM:SS` in ms, kept between ten seconds and a day; null if the text is something else. */
export function parseSleep(text: string): number | null {
  const match = /^(\d{1,3}):(\d\d):(\d\d)$/.exec(text);
  if (match === null) return null;
  const seconds = Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]);
  return Math.min(Math.max(seconds, 10), 86_400) * 1000;
}
