import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { describeError, RushlightError } from '../../common/errors.ts';
import {
  asksForBitrate,
  boardOfModel,
  type CaptureTargets,
  type ChildHost,
  chooseEncoder,
  chooseSmall,
  type EncoderFacts,
  type EncoderPlan,
  kindOf,
  type RawStream,
  type SensorClock,
  type SmallPlan,
  SourceHandler,
  type SourceSpec,
} from '../../media/index.ts';
import type { Device, SourceStatus } from '../contract/index.ts';
import type { JpegPublication } from '../contract/ports.ts';
import type { DesiredPipeline, DesiredState } from '../roles/index.ts';
import { judgeLink, type LinkRate, type LinkSample, unmeasuredLink } from './adaptive-bitrate.ts';
import { watchForChange } from './changed-file.ts';
import { PictureSource, picturesSocketPath } from './jpeg-source.ts';
import type { PortAllocator } from './port-allocator.ts';
import { sourceSpecOf } from './source-spec.ts';
import { idleStatus, statusOf } from './source-status.ts';

/** What the pipelines need of the appliance. */
export interface PipelinesOptions {
  readonly host: ChildHost;
  readonly ports: Pick<PortAllocator, 'portOf' | 'keepOnly'>;
  /** Folder of the named pipes that carry raw frames. */
  readonly runFolder: string;
  /** Paths in the settings are relative to it. */
  readonly configFile: string;
  /** Cameras of this machine at the last look. */
  readonly devices: () => readonly Device[];
  readonly hardwareEncoder: string | null;
  /** The machine's model, which decides what it can encode. */
  readonly model: string;
  /** Whether a take runs: then no pipeline is touched for the live picture's sake. */
  readonly recording: () => boolean;
  /** Opens the feed of a source that delivers pictures instead of video. */
  readonly publishPictures: (feed: string) => JpegPublication;
  /** What is wrong with a source beside its pipeline, such as its controls. */
  readonly noteOf?: (source: string) => string | null;
  /**
   * Something outside the settings changed that a pipeline depends on, such as what the link to the hub carries: apply again.
   */
  readonly onLinkRate: () => void;
  readonly onChange: () => void;
  readonly log: Logger;
}

/** The packets of a source. */
export interface Ingest {
  readonly feed: string;
  /** Absent: the full one. */
  readonly layer?: 'low';
  readonly rtpPort: number;
  /** Its timestamps are wall-clock time of capture. */
  readonly tellsCaptureTime: boolean;
}

/** What a recorder needs from a running source. */
export interface RecordableSource {
  readonly id: string;
  readonly pipe: string;
  readonly raw: RawStream;
}

/** How the live picture of a source is made. */
interface Encoding extends EncoderPlan {
  readonly small: SmallPlan;
}

interface Running {
  readonly spec: SourceSpec;
  readonly desired: DesiredPipeline;
  readonly encoder: Encoding;
  readonly rtpPort: number;
  /** Null if no small layer is encoded. */
  readonly smallRtpPort: number | null;
  readonly pipe: string;
  readonly handler: SourceHandler;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Sources that are not encoded here have no such setting. */
const noSmall = { small: 'off', smallWidth: 640, smallBitrateKbps: 300 } as const;
/** A link that carries this much more than the picture is no limit: repetitions and other traffic have room, too. */
const linkHeadroom = 1.5;

/** One capture pipeline per source. Applying again restarts only the pipelines that changed. */
export class Pipelines {
  readonly #options: PipelinesOptions;
  readonly #running = new Map<string, Running>();
  readonly #links = new Map<string, LinkRate>();
  /** How often the pipe of a source was replaced. */
  readonly #renewed = new Map<string, number>();
  #desired: DesiredState | null = null;
  #broken = new Map<string, string>();

  constructor(options: PipelinesOptions) {
    this.#options = options;
  }

  /** Brings the pipelines to what is wanted. Settles when those that had to end have ended. */
  async apply(desired: DesiredState): Promise<void> {
    const { host, devices, configFile, runFolder } = this.#options;
    const surroundings = { host, devices: devices(), configFile, runFolder };
    this.#desired = desired;
    const before = this.#broken;
    this.#broken = new Map();
    const wanted = new Map<string, { desired: DesiredPipeline; spec: SourceSpec }>();
    for (const pipeline of desired.pipelines) {
      try {
        wanted.set(pipeline.source.id, {
          desired: pipeline,
          spec: await sourceSpecOf(pipeline, surroundings),
        });
      } catch (error) {
        this.#noteBroken(pipeline.source.id, error, before);
      }
    }
    const unwanted = [...this.#running].filter(([id, running]) => this.#isOutdated(running, wanted.get(id)));
    await Promise.all(unwanted.map(([id]) => this.#end(id)));
    for (const [id, { desired: pipeline, spec }] of wanted) {
      const running = this.#running.get(id);
      if (running === undefined) await this.#start(pipeline, spec, before);
      else this.#running.set(id, { ...running, desired: pipeline });
    }
    const sources = [...desired.order, ...this.#running.keys()];
    const users = sources.flatMap((id) => [`source ${id}`, smallUser(id)]);
    await this.#options.ports.keepOnly('source ', users);
    this.#options.onChange();
  }

  /** Where the media process takes the packets of each source. */
  ingests(): readonly Ingest[] {
    const videos = [...this.#running].filter(([, running]) => !deliversPictures(running));
    return videos.flatMap(([feed, { rtpPort, smallRtpPort, handler }]): Ingest[] => {
      const tellsCaptureTime = handler.raw.clock === 'epoch';
      const full = { feed, rtpPort, tellsCaptureTime };
      return smallRtpPort === null ? [full] : [full, { ...full, layer: 'low', rtpPort: smallRtpPort }];
    });
  }

  /** Sources that deliver pictures instead of video. */
  pictureFeeds(): readonly string[] {
    return [...this.#running].filter(([, running]) => deliversPictures(running)).map(([feed]) => feed);
  }

  /** Sources that deliver frames now and can be recorded. */
  recordable(): readonly RecordableSource[] {
    return [...this.#running.values()]
      .filter(({ handler, desired }) => handler.status.state === 'running' && desired.source.record)
      .map(recordableOf);
  }

  /** All sources that should run, whether they deliver now or not. */
  all(): readonly RecordableSource[] {
    return [...this.#running.values()].filter(({ desired }) => desired.source.record).map(recordableOf);
  }

  /** Where a source's pipeline delivers raw frames, now or when it runs. */
  pipeOf(id: string): string {
    const renewed = this.#renewed.get(id);
    return join(this.#options.runFolder, renewed === undefined ? `${id}.raw` : `${id}.${renewed}.raw`);
  }

  /** Gives a source another pipe: the kernel holds the reader of the present one. Its pipeline is restarted. */
  renewPipe(id: string): void {
    this.#renewed.set(id, (this.#renewed.get(id) ?? 0) + 1);
    this.#options.onLinkRate();
  }

  /** When the sensor of a source took its frames, if its pipeline reports it. */
  sensorClockOf(id: string): SensorClock | undefined {
    return this.#running.get(id)?.handler.sensorClock;
  }

  /** Reports how many frames of a source the media process has received. */
  noteFrames(id: string, framesTotal: number, reordersFrames = false): void {
    this.#running.get(id)?.handler.noteFrames(framesTotal, reordersFrames);
  }

  /** Reports the state of a source's way to the hub; if it carries less than is sent, the live picture's rate goes down. */
  noteLink(id: string, sample: LinkSample): void {
    const running = this.#running.get(id);
    if (running === undefined || !asksForBitrate(running.spec) || running.encoder.bitrateKbps === null)
      return;
    const { recording, onLinkRate, log } = this.#options;
    const before = this.#links.get(id) ?? unmeasuredLink;
    const wantedKbps = running.spec.bitrateKbps * linkHeadroom;
    const now = judgeLink(before, sample, { wantedKbps, frozen: recording() });
    this.#links.set(id, now);
    if (now.linkKbps === before.linkKbps) return;
    log.info({ source: id, linkKbps: now.linkKbps }, 'what the link to the hub carries has changed');
    onLinkRate();
  }

  /** Without the media process frames cannot be seen to arrive; that is not the sources' fault. */
  noteBlindness(): void {
    for (const { handler } of this.#running.values()) handler.noteBlindness();
  }

  status(): SourceStatus[] {
    const desired = this.#desired;
    if (desired === null) return [];
    const statuses = [
      ...[...this.#running.values()].map(({ desired: { source }, encoder, handler }) =>
        statusOf(source, encoder, handler, this.#options.noteOf?.(source.id) ?? null),
      ),
      ...[...this.#broken].flatMap(([id, reason]) => {
        const pipeline = desired.pipelines.find(({ source }) => source.id === id);
        return pipeline === undefined ? [] : [idleStatus(pipeline.source, 'waiting', reason)];
      }),
      ...desired.waiting.map(({ source, reason }) => idleStatus(source, 'waiting', reason)),
      ...desired.disabled.map((source) => idleStatus(source, 'stopped', 'Switched off in the settings.')),
    ];
    const place = ({ id }: SourceStatus) => desired.order.indexOf(id);
    return statuses.toSorted((a, b) => place(a) - place(b));
  }

  /** Ends every pipeline. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.#end(id)));
  }

  /** Includes pipelines whose encoder would be chosen differently now, unless a take would suffer. */
  #isOutdated(
    { spec, encoder, pipe }: Running,
    wanted: { desired: DesiredPipeline; spec: SourceSpec } | undefined,
  ) {
    if (wanted === undefined || !isDeepStrictEqual(spec, wanted.spec)) return true;
    if (pipe !== this.pipeOf(spec.id)) return true;
    const { recording } = this.#options;
    return !recording() && !isDeepStrictEqual(encoder, this.#chooseEncoder(wanted.desired, spec));
  }

  /** Whether a source could not be set up, but may be later: a file comes back, a disk accepts writes again. */
  get hasBroken(): boolean {
    return this.#broken.size > 0;
  }

  /** A reason that repeats is logged once. */
  #noteBroken(id: string, error: unknown, before: ReadonlyMap<string, string>): void {
    // One sentence is enough for an owner; the log has the cause.
    const isSentence = error instanceof RushlightError && error.message.endsWith('.');
    const reason = isSentence ? error.message : describeError(error);
    this.#broken.set(id, reason);
    if (before.get(id) === reason) return;
    this.#options.log.error({ err: error, source: id }, 'a source cannot be set up');
  }

  async #start(
    desired: DesiredPipeline,
    spec: SourceSpec,
    before: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { host, ports, onChange, log } = this.#options;
    try {
      const rtpPort = await ports.portOf(`source ${spec.id}`);
      const pipe = this.pipeOf(spec.id);
      const encoder = this.#chooseEncoder(desired, spec);
      const { layer } = encoder.small;
      const smallRtpPort = layer === null ? null : await ports.portOf(smallUser(spec.id));
      const small =
        layer === null || smallRtpPort === null ? {} : { small: { ...layer, rtpPort: smallRtpPort } };
      const picturesSocket = picturesSocketPath(this.#options.runFolder, spec.id);
      const targets: CaptureTargets = { rtpPort, encoder, rawPipe: pipe, picturesSocket, ...small };
      const handler = new SourceHandler({
        host,
        logger: log,
        source: sustained(spec, encoder),
        targets,
        onStatus: onChange,
      });
      const stop = new AbortController();
      const watched = kindOf(spec).watches?.(spec);
      if (watched !== undefined) watchForChange(watched, this.#options.onLinkRate, stop.signal);
      const pictures =
        encoder.encoder === 'mjpeg'
          ? this.#pictureSource(spec.id, picturesSocket, handler).run(stop.signal)
          : Promise.resolve();
      const ended = Promise.all([handler.run(stop.signal), pictures]).then(() => {});
      this.#running.set(spec.id, {
        spec,
        desired,
        encoder,
        rtpPort,
        smallRtpPort,
        pipe,
        handler,
        stop,
        ended,
      });
    } catch (error) {
      this.#noteBroken(spec.id, error, before);
    }
  }

  #pictureSource(feed: string, socketPath: string, handler: SourceHandler): PictureSource {
    const { publishPictures: publish, log } = this.#options;
    return new PictureSource({ feed, socketPath, publish, onFrames: (n) => handler.noteFrames(n), log });
  }

  #chooseEncoder({ source }: DesiredPipeline, spec: SourceSpec): Encoding {
    const { hardwareEncoder, model } = this.#options;
    const linkKbps = this.#links.get(spec.id)?.linkKbps ?? null;
    const kind = kindOf(spec);
    const sends = kind.sends(spec);
    const facts: EncoderFacts = {
      cameraSendsH264: sends === 'h264',
      cameraSendsJpeg: sends === 'jpeg',
      ...(kind.copyReason === undefined ? {} : { copyReason: kind.copyReason }),
      ...(hardwareEncoder === null ? {} : { hardwareEncoder }),
      ...(linkKbps === null ? {} : { linkKbps }),
      ...(asksForBitrate(spec)
        ? { width: spec.width, height: spec.height, fps: spec.fps, bitrateKbps: spec.bitrateKbps }
        : { width: 0, height: 0 }),
      board: boardOfModel(model),
      ...('encoder' in source ? { preference: source.encoder } : {}),
    };
    const plan = chooseEncoder(facts);
    return { ...plan, small: chooseSmall(facts, plan, 'small' in source ? source : noSmall) };
  }

  async #end(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.stop.abort();
    await running.ended;
    this.#running.delete(id);
  }
}

/** Who has the port of a small layer. */
function smallUser(id: string): string {
  return `source ${id} small`;
}

function deliversPictures({ encoder }: Running): boolean {
  return encoder.encoder === 'mjpeg';
}

/** How much of the wanted bit rate this board sustains. */
function sustained(spec: SourceSpec, { bitrateKbps }: EncoderPlan): SourceSpec {
  return !asksForBitrate(spec) || bitrateKbps === null ? spec : { ...spec, bitrateKbps };
}

function recordableOf({ spec, pipe, handler }: Running): RecordableSource {
  return { id: spec.id, pipe, raw: handler.raw };
}
