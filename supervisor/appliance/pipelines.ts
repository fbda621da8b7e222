import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import {
  boardOfModel,
  type CaptureTargets,
  type ChildHost,
  chooseEncoder,
  type EncoderPlan,
  type RawStream,
  SourceHandler,
  type SourceSpec,
} from '../../media/index.ts';
import type { Device, SourceStatus } from '../api/contract.ts';
import { describeError } from '../errors.ts';
import type { DesiredPipeline, DesiredState } from '../roles/desired-state.ts';
import type { PortBook } from './port-book.ts';
import { sourceSpecOf } from './source-spec.ts';

export interface PipelinesOptions {
  readonly host: ChildHost;
  readonly ports: PortBook;
  /** Folder of the named pipes that carry raw frames. */
  readonly runFolder: string;
  /** Paths in the settings are relative to it. */
  readonly configFile: string;
  /** Cameras of this machine as of the last look. */
  readonly devices: () => readonly Device[];
  readonly hardwareEncoder: string | null;
  /** Model as the machine tells it; decides what it can encode. */
  readonly model: string;
  readonly onChange: () => void;
  readonly log: Logger;
}

/** The packets of a source. */
export interface Ingest {
  readonly feed: string;
  readonly rtpPort: number;
  /** Its timestamps are wall-clock time of capture. */
  readonly tellsCaptureTime: boolean;
}

/** What a recorder needs of a running source. */
export interface RecordableSource {
  readonly id: string;
  readonly pipe: string;
  readonly raw: RawStream;
}

interface Running {
  readonly spec: SourceSpec;
  readonly desired: DesiredPipeline;
  readonly encoder: EncoderPlan;
  readonly rtpPort: number;
  readonly pipe: string;
  readonly handler: SourceHandler;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** One capture pipeline per source. Applying a new wish restarts only the pipelines it concerns. */
export class Pipelines {
  readonly #options: PipelinesOptions;
  readonly #running = new Map<string, Running>();
  #desired: DesiredState | null = null;
  #broken = new Map<string, string>();

  constructor(options: PipelinesOptions) {
    this.#options = options;
  }

  /** Brings the pipelines to what is wanted. Settles when those that had to end have ended. */
  async apply(desired: DesiredState): Promise<void> {
    const { devices, configFile } = this.#options;
    this.#desired = desired;
    this.#broken = new Map();
    const wanted = new Map<string, { desired: DesiredPipeline; spec: SourceSpec }>();
    for (const pipeline of desired.pipelines) {
      try {
        wanted.set(pipeline.source.id, {
          desired: pipeline,
          spec: await sourceSpecOf(pipeline, devices(), configFile),
        });
      } catch (error) {
        this.#options.log.error({ err: error, source: pipeline.source.id }, 'a source cannot be set up');
        this.#broken.set(pipeline.source.id, describeError(error));
      }
    }
    const unwanted = [...this.#running].filter(
      ([id, { spec }]) => !isDeepStrictEqual(spec, wanted.get(id)?.spec),
    );
    await Promise.all(unwanted.map(([id]) => this.#end(id)));
    for (const [id, { desired: pipeline, spec }] of wanted) {
      const running = this.#running.get(id);
      if (running === undefined) await this.#start(pipeline, spec);
      else this.#running.set(id, { ...running, desired: pipeline });
    }
    this.#options.onChange();
  }

  /** Where the media process takes the packets of each source. */
  ingests(): readonly Ingest[] {
    return [...this.#running].map(([feed, { rtpPort, handler }]) => {
      return { feed, rtpPort, tellsCaptureTime: handler.raw.clock === 'epoch' };
    });
  }

  /** Sources that deliver frames now and may be recorded. */
  recordable(): readonly RecordableSource[] {
    return [...this.#running.values()]
      .filter(({ handler, desired }) => handler.status.state === 'running' && desired.source.record)
      .map(recordableOf);
  }

  /** All sources that are meant to run, whether they deliver now or not. */
  all(): readonly RecordableSource[] {
    return [...this.#running.values()].filter(({ desired }) => desired.source.record).map(recordableOf);
  }

  /** Where a source's pipeline delivers raw frames, now or when it runs. */
  pipeOf(id: string): string {
    return join(this.#options.runFolder, `${id}.raw`);
  }

  /** Tells how many frames of a source the media process has received. */
  noteFrames(id: string, framesTotal: number): void {
    this.#running.get(id)?.handler.noteFrames(framesTotal);
  }

  /** Without the media process nobody sees frames arrive; that is no fault of the sources. */
  noteBlindness(): void {
    for (const { handler } of this.#running.values()) handler.noteBlindness();
  }

  status(): SourceStatus[] {
    const desired = this.#desired;
    if (desired === null) return [];
    return [
      ...[...this.#running.values()].map(statusOf),
      ...[...this.#broken].flatMap(([id, reason]) => {
        const pipeline = desired.pipelines.find(({ source }) => source.id === id);
        return pipeline === undefined ? [] : [idle(pipeline.source, 'waiting', reason)];
      }),
      ...desired.waiting.map(({ source, reason }) => idle(source, 'waiting', reason)),
      ...desired.disabled.map((source) => idle(source, 'stopped', 'Switched off in the settings.')),
    ];
  }

  /** Ends every pipeline. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.#end(id)));
  }

  async #start(desired: DesiredPipeline, spec: SourceSpec): Promise<void> {
    const { host, ports, onChange, log } = this.#options;
    const rtpPort = await ports.portOf(`source ${spec.id}`);
    const pipe = this.pipeOf(spec.id);
    const encoder = this.#chooseEncoder(desired, spec);
    const targets: CaptureTargets = { rtpPort, encoder, rawPipe: pipe };
    try {
      const handler = new SourceHandler({
        host,
        logger: log,
        source: sustained(spec, encoder),
        targets,
        onStatus: onChange,
      });
      const stop = new AbortController();
      const ended = handler.run(stop.signal);
      this.#running.set(spec.id, {
        spec,
        desired,
        encoder,
        rtpPort,
        pipe,
        handler,
        stop,
        ended,
      });
    } catch (error) {
      log.error({ err: error, source: spec.id }, 'a source cannot be set up');
      this.#broken.set(spec.id, describeError(error));
    }
  }

  #chooseEncoder({ source }: DesiredPipeline, spec: SourceSpec): EncoderPlan {
    const { hardwareEncoder, model } = this.#options;
    return chooseEncoder({
      cameraSendsH264: spec.kind === 'rtsp' || (spec.kind === 'v4l2' && spec.format === 'h264'),
      ...(hardwareEncoder === null ? {} : { hardwareEncoder }),
      ...(spec.kind === 'rtsp'
        ? { width: 0, height: 0 }
        : { width: spec.width, height: spec.height, fps: spec.fps, bitrateKbps: spec.bitrateKbps }),
      board: boardOfModel(model),
      ...('encoder' in source ? { preference: source.encoder } : {}),
    });
  }

  async #end(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.stop.abort();
    await running.ended;
    this.#running.delete(id);
  }
}

/** What this board sustains of the wanted bit rate. */
function sustained(spec: SourceSpec, { bitrateKbps }: EncoderPlan): SourceSpec {
  return spec.kind === 'rtsp' || bitrateKbps === null ? spec : { ...spec, bitrateKbps };
}

const shownState = {
  starting: 'starting',
  running: 'running',
  stalled: 'stalled',
  'backing-off': 'waiting',
  stopped: 'stopped',
} as const;

function statusOf({ spec, desired, encoder, handler }: Running): SourceStatus {
  const { state, fault, restarts } = handler.status;
  return {
    id: spec.id,
    kind: spec.kind,
    label: desired.source.label ?? spec.id,
    state: shownState[state],
    reason: fault?.words ?? null,
    restarts,
    droppedFrames: null,
    encoder: { name: encoder.encoder, reason: [encoder.reason, ...encoder.warnings].join(' ') },
  };
}

function idle(source: DesiredPipeline['source'], state: 'waiting' | 'stopped', reason: string): SourceStatus {
  const { id, kind, label } = source;
  return { id, kind, label: label ?? id, state, reason, restarts: 0, droppedFrames: null, encoder: null };
}

function recordableOf({ spec, pipe, handler }: Running): RecordableSource {
  return { id: spec.id, pipe, raw: handler.raw };
}
