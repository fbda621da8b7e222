import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { pause } from '../../common/pause.ts';
import {
  BundleCache,
  type CachedBundle,
  type ConductorTiming,
  type Fetch,
  type Fleet,
  type Member,
  oldestVersion,
  type Release,
  RolloutConductor,
  serveBundle,
} from '../../ota/index.ts';
import type { LinkedCameras, Rollout, RolloutStart } from '../contract/index.ts';
import type { ApiPorts } from '../contract/ports.ts';
import { CameraOrders } from '../hub/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import { cameraMember, hubMember } from './fleet-members.ts';
import { type KnownMember, noRollout, rolloutView } from './rollout-view.ts';
import type { ReleaseOffers, UpdatePort } from './update-status.ts';

/** What rollouts need of the hub. */
export interface RolloutsOptions {
  readonly hub: () => { readonly id: string; readonly name: string };
  readonly update: UpdatePort;
  readonly cameras: LinkedCameras;
  /** Whether a take runs on the hub or on any camera. */
  readonly takeRunning: () => boolean;
  readonly isHub: () => boolean;
  /** Whether this hub may start by itself what the owner's policy allows. */
  readonly byItself: () => boolean;
  readonly folder: string;
  readonly fetch: Fetch;
  readonly onChange: () => void;
  readonly log: Logger;
  readonly timing?: Partial<ConductorTiming & { readonly considerMs: number }>;
}

/** A hub updating its cameras and itself, as the API, MQTT and the owner's policy use it. */
export class Rollouts {
  readonly #options: RolloutsOptions;
  readonly #orders: CameraOrders;
  readonly #cache: BundleCache;
  readonly #conductor: RolloutConductor;

  constructor(options: RolloutsOptions) {
    const { cameras, folder, fetch, log, update, timing } = options;
    this.#options = options;
    this.#orders = new CameraOrders(cameras);
    this.#cache = new BundleCache({
      folder: join(folder, 'cache'),
      fetch,
      verify: (path, signal) => this.#offers().verifyBundle(path, signal),
      logger: log,
    });
    const fleet: Fleet = {
      members: () => this.#known().map(({ member }) => member),
      takeRunning: options.takeRunning,
      install: async (id, bundle) => {
        if (id !== options.hub().id) return await this.#orders.give(id, orderOf(bundle));
        const { path, version, sizeBytes } = bundle;
        await update.installBundle({ source: path, version, sizeBytes });
      },
    };
    this.#conductor = new RolloutConductor({
      fleet,
      cache: this.#cache,
      folder,
      logger: log,
      now: () => new Date(),
      ...(timing === undefined ? {} : { timing }),
    });
  }

  /** While this machine is a hub: until abort. */
  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = [
      this.#conductor.onChange(this.#options.onChange),
      this.#options.cameras.subscribe({ changed: () => this.#conductor.poke() }),
    ];
    try {
      await Promise.all([this.#orders.run(signal), this.#conductor.run(signal), this.#considerOften(signal)]);
    } finally {
      for (const end of unsubscribe) end();
    }
  }

  /** What a hub shows; null on a camera. */
  status(): Rollout | null {
    if (!this.#options.isHub()) return null;
    const known = this.#known();
    return rolloutView({ ...this.#conductor.status(), known, available: this.#available(known) });
  }

  /** A camera was un-adopted: the rollout no longer waits for it. */
  drop(cameraId: string): Promise<void> {
    return this.#conductor.drop(cameraId);
  }

  ports(): ApiPorts['rollout'] {
    const after = async (work: Promise<unknown>): Promise<Rollout> => {
      await work;
      return this.status() ?? noRollout;
    };
    const asHub = <T>(work: () => Promise<T>): Promise<T> => {
      if (this.#options.isHub()) return work();
      throw new ApplianceError('WRONG_ROLE', 'Only a hub conducts updates.');
    };
    return {
      status: () => this.status() ?? noRollout,
      start: (request) => after(asHub(() => this.#start(request))),
      pause: () => after(asHub(() => this.#conductor.pause())),
      resume: () => after(asHub(() => this.#conductor.resume())),
      cancel: () => after(asHub(() => this.#cancel())),
      chooseCanary: (id) => after(asHub(() => this.#conductor.chooseCanary(id))),
      install: (id) => after(asHub(() => this.#install(id))),
      rollback: (id) => after(asHub(() => this.#rollback(id))),
      bundle: async (sha256, request, response) => {
        const bundle = this.#cache.current;
        if (bundle?.sha256 !== sha256) {
          this.#refuseUnverified(sha256);
          return false;
        }
        await serveBundle(bundle, request, response).catch((error: unknown) =>
          this.#options.log.error(
            { err: error, path: bundle.path },
            'the bundle for the cameras cannot be read',
          ),
        );
        return true;
      },
    };
  }

  /**
   * After a restart of the hub the bundle is verified again; a camera that asks for it meanwhile gets "not ready" and asks
   * again.
   */
  #refuseUnverified(sha256: string): void {
    const { loaded, release } = this.#conductor.status();
    if (loaded && release?.sha256 !== sha256) return;
    throw new ApplianceError('BUNDLE_NOT_READY', 'The hub is still verifying this bundle.');
  }

  async #start({ version, canary, cameras, hub }: RolloutStart): Promise<void> {
    await this.#offers().refreshOffers();
    const known = this.#known();
    const wanted = known.filter(({ member, role }) =>
      role === 'hub' ? hub : (cameras?.includes(member.id) ?? true),
    );
    for (const id of [...(cameras ?? []), ...(canary === undefined ? [] : [canary])]) this.#cameraOf(id);
    const release = this.#available(wanted, version ?? null);
    if (release === null) throw nothing(version);
    const members = wanted.map(({ member }) => member);
    await this.#begin(release, members, canary ?? null, hub);
  }

  async #begin(release: Release, members: readonly Member[], canary: string | null, hub: boolean) {
    const request = { canary, hub: hub ? this.#options.hub().id : null };
    await this.#conductor.start(await withHash(release), members, request);
  }

  async #cancel(): Promise<void> {
    const underWay = await this.#conductor.cancel();
    if (underWay === null) return;
    const { hub, update, log } = this.#options;
    try {
      if (underWay === hub().id) await update.cancel();
      else await this.#orders.give(underWay, { type: 'update-cancel' });
    } catch (error) {
      log.info({ err: error, member: underWay }, 'a machine could not be reached to cancel its update');
    }
  }

  /** One machine by itself, or within the rollout that is under way. */
  async #install(id: string): Promise<void> {
    const one = this.#knownOf(id);
    const { rollout, release: current } = this.#conductor.status();
    const isOpen = rollout !== null && ['running', 'paused', 'halted'].includes(rollout.phase);
    const release = isOpen && current?.compatible === one.member.compatible ? current : one.offer;
    if (release === null) throw nothing(undefined);
    await this.#conductor.include(await withHash(release), one.member);
  }

  async #rollback(id: string): Promise<void> {
    if (id === this.#options.hub().id) return void (await this.#options.update.rollback());
    await this.#orders.give(this.#cameraOf(id).member.id, { type: 'update-rollback' });
  }

  /** Starts what the policy would install on each of them separately: at the right time, cameras first. */
  async #considerOften(signal: AbortSignal): Promise<void> {
    const { timing, log } = this.#options;
    while (!signal.aborted) {
      await pause(timing?.considerMs ?? 60_000, signal);
      try {
        if (!signal.aborted && this.#options.byItself()) await this.#consider();
      } catch (error) {
        log.warn({ err: error }, 'no rollout could be begun');
      }
    }
  }

  async #consider(): Promise<void> {
    const { offers } = this.#options.update;
    if (offers === null || !this.#conductor.isFree) return;
    const { rollout } = this.#conductor.status();
    const failedVersion = rollout?.phase === 'cancelled' ? rollout.version : null;
    const known = this.#known();
    for (const machine of this.#boards(known)) {
      const decision = offers.decideFor({ ...machine, failedVersion });
      if (decision.type !== 'install') continue;
      const members = known.map(({ member }) => member);
      // What is left of the former rollout is cameras that are long away: they wait for this one.
      if (rollout?.phase === 'running') await this.#conductor.cancel();
      return await this.#begin(decision.release, members, null, true);
    }
  }

  /** The newest release that updates at least one of them, for the board that most of them have. */
  #available(known: readonly KnownMember[], version: string | null = null): Release | null {
    const { offers } = this.#options.update;
    for (const machine of this.#boards(known)) {
      const release = offers?.newestFor(machine, version) ?? null;
      if (release !== null) return release;
    }
    return null;
  }

  /** Each kind of board with the oldest version that runs on it, the most frequent first. */
  #boards(known: readonly KnownMember[]): { compatible: string; installedVersion: string }[] {
    const boards = new Map<string, string[]>();
    for (const { member } of known) {
      const { compatible, version } = member;
      if (compatible === null || version === null || !member.online) continue;
      boards.set(compatible, [...(boards.get(compatible) ?? []), version]);
    }
    const frequent = [...boards].sort(([, a], [, b]) => b.length - a.length);
    return frequent.flatMap(([compatible, versions]) => {
      const installedVersion = oldestVersion(versions);
      return installedVersion === null ? [] : [{ compatible, installedVersion }];
    });
  }

  #known(): KnownMember[] {
    const { cameras, hub, update, takeRunning } = this.#options;
    const nowMs = Date.now();
    const own = update.status();
    return [
      ...cameras.list().map((camera): KnownMember => {
        const member = cameraMember(camera, nowMs);
        return { member, role: 'camera', update: camera.update, offer: this.#offerFor(member) };
      }),
      ...[hubMember(hub(), own, takeRunning())].map(
        (member): KnownMember => ({ member, role: 'hub', update: own, offer: this.#offerFor(member) }),
      ),
    ];
  }

  #offerFor({ compatible, version }: Member): Release | null {
    if (compatible === null || version === null) return null;
    return this.#options.update.offers?.newestFor({ compatible, installedVersion: version }) ?? null;
  }

  #knownOf(id: string): KnownMember {
    const one = this.#known().find(({ member }) => member.id === id);
    if (one === undefined)
      throw new ApplianceError('CAMERA_UNKNOWN', `No camera "${id}" is linked to this hub.`);
    return one;
  }

  #cameraOf(id: string): KnownMember {
    const one = this.#knownOf(id);
    if (one.role !== 'camera')
      throw new ApplianceError('CAMERA_UNKNOWN', `"${id}" is the hub, not a camera.`);
    return one;
  }

  #offers(): ReleaseOffers {
    const { update } = this.#options;
    if (update.offers !== null) return update.offers;
    const reason = update.status().reason ?? 'This hub cannot verify updates.';
    throw new ApplianceError('NOT_SUPPORTED_HERE', reason);
  }
}

function orderOf({ version, sha256, sizeBytes }: CachedBundle) {
  return { type: 'update-install', version, sha256, sizeBytes } as const;
}

/** A bundle on a medium has no announced hash, so its present one counts. */
async function withHash(release: Release): Promise<Release> {
  if (release.sha256 !== '') return release;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(release.url)) hash.update(chunk as Buffer);
  return { ...release, sha256: hash.digest('hex') };
}

function nothing(version: string | undefined): ApplianceError {
  const what = version === undefined ? 'Nothing newer' : `No version ${version} that is newer`;
  return new ApplianceError('NOTHING_TO_INSTALL', `${what} is on offer for these machines.`);
}
