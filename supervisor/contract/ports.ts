import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import type {
  ApiEvent,
  ConfigView,
  Device,
  Feed,
  LayerChoice,
  LayerWish,
  MqttLink,
  NewCamera,
  Output,
  PictureRefusal,
  Rollout,
  RolloutStart,
  Status,
  SystemAction,
  Take,
  Tally,
  UnpluggedDevice,
  Update,
  UpdateInstall,
} from './index.ts';

/** Who is asking, as the access check found. */
export interface Caller {
  readonly role: 'owner' | 'operator' | 'viewer' | 'camera' | 'public';
  /** Name of the key; the camera's id for cameras; null if no key is needed. */
  readonly subject: string | null;
  /** Id of the key; null if no key is needed. */
  readonly keyId: string | null;
  readonly address: string;
}

/** Answer to an SDP offer. */
export interface SessionAnswer {
  readonly sessionId: string;
  readonly etag: string;
  readonly answer: string;
}

/** The settings, and the tag by which a change names them. */
export interface TaggedConfig {
  readonly view: ConfigView;
  readonly tag: string;
}

/** Whether a session publishes (WHIP) or views (WHEP). */
export type SessionKind = 'whip' | 'whep';

/** A session as a request names it, and who asks: knowing the id alone is not enough. */
export interface SessionClaim {
  readonly kind: SessionKind;
  readonly feed: string;
  readonly sessionId: string;
  readonly caller: Caller;
}

/** WHIP and WHEP without HTTP; rejections carry the codes that problem-of.ts knows. */
export interface SignalingPort {
  /** `low` publishes the small layer of a feed. */
  offer(kind: SessionKind, feed: string, sdp: string, caller: Caller, layer?: 'low'): Promise<SessionAnswer>;
  patch(
    session: SessionClaim,
    ifMatch: string | null,
    fragment: string,
  ): Promise<{ readonly restart: { readonly etag: string; readonly fragment: string } | null }>;
  /** ETag of a living session. Rejects with SESSION_NOT_FOUND. */
  session(session: SessionClaim): Promise<{ readonly etag: string }>;
  /** Accepts a viewer's choice of a layer and returns what it gets. Rejects with SESSION_NOT_FOUND. */
  selectLayer(session: SessionClaim, wish: LayerWish): Promise<LayerChoice>;
  close(session: SessionClaim): Promise<void>;
}

/** Takes, as the routes need them. */
export interface TakesPort {
  list(): Promise<Take[]>;
  get(id: string): Promise<Take>;
  start(cameras: readonly string[] | null): Promise<Take>;
  stop(id: string): Promise<Take>;
  /** Removes a take for good. Rejects with TAKE_UNKNOWN, TAKE_UNFINISHED, MASTER_ELSEWHERE or TAKE_NOT_REMOVED. */
  remove(id: string): Promise<void>;
  /**
   * Reads the masters of this machine again and compares them, once nothing is recorded. Rejects with TAKE_UNKNOWN,
   * TAKE_UNFINISHED, TAKE_DAMAGED or MASTER_ELSEWHERE.
   */
  verify(id: string): Promise<Take>;
  /** A finished segment of a master of this machine. Rejects with TAKE_UNKNOWN, TAKE_NOT_FOUND or MASTER_ELSEWHERE. */
  master(id: string, camera: string, segment: number): Promise<{ path: string; fileName: string }>;
}

/** One client's view of a feed as JPEG frames. */
export interface FrameWatch extends Disposable {
  /** The newest frame that this client has not received yet, or the next one. Null after the signal is aborted. */
  next(signal: AbortSignal): Promise<Buffer | null>;
}

/** Why a picture is not shown. */
export interface FrameRefusal {
  readonly code: PictureRefusal['code'];
  readonly message: string;
}

/** A place in the list of feeds that a publisher fills with pictures. Disposing it gives the place up. */
export interface JpegPublication extends Disposable {
  /** Shows a picture. Returns why, if it cannot be shown. */
  frame(jpeg: Buffer): FrameRefusal | null;
  /** Called once, when another connection takes the place. */
  onEnd(listener: (reason: string) => void): void;
}

/** Feeds as JPEG pictures, in and out. */
export interface JpegPort {
  /** Adds a client. Throws FEED_UNKNOWN. */
  watch(feed: string): FrameWatch;
  /** Throws the same errors as `watch`. */
  mayWatch(feed: string): void;
  /** Throws FEED_BUSY if another publisher uses this name; the same key takes over. */
  publish(feed: string, caller: Caller): JpegPublication;
  /** Throws the same errors as `publish`. */
  mayPublish(feed: string, caller: Caller): void;
}

/** A hub updating its cameras. On a camera everything but `status` and `bundle` rejects with WRONG_ROLE. */
export interface RolloutPort {
  status(): Rollout;
  start(request: RolloutStart): Promise<Rollout>;
  pause(): Promise<Rollout>;
  resume(): Promise<Rollout>;
  cancel(): Promise<Rollout>;
  chooseCanary(cameraId: string): Promise<Rollout>;
  install(memberId: string): Promise<Rollout>;
  rollback(memberId: string): Promise<Rollout>;
  /** Answers a camera that reads the bundle. False if the bundle it wants is not the one kept here. */
  bundle(sha256: string, request: IncomingMessage, response: ServerResponse): Promise<boolean>;
}

/** Everything the routes need from the appliance. */
export interface ApiPorts {
  status(): Promise<Status>;
  subscribe(listener: (event: ApiEvent) => void): () => void;
  feeds(): Promise<Feed[]>;
  outputs(): Output[];
  readonly signaling: SignalingPort;
  readonly pictures: JpegPort;
  readonly takes: TakesPort;
  readonly devices: {
    list(): Promise<Device[]>;
    setControls(id: string, values: Record<string, number | boolean | string>): Promise<Device>;
    /** Uses a camera that no setting names as a feed, or stops using it. */
    use(id: string, use: boolean): Promise<Device>;
    /** Forgets the choice about a camera and its name. */
    forget(id: string): Promise<void>;
    label(id: string, label: string): Promise<Device>;
    unplugged(): UnpluggedDevice[];
  };
  readonly config: {
    view(): TaggedConfig;
    /** Rejects with CONFIG_INVALID, or CONFIG_CHANGED if the tag of the present settings is not expected. */
    patch(patch: Record<string, unknown>, isExpected: (tag: string) => boolean): Promise<TaggedConfig>;
  };
  readonly update: {
    status(): Update;
    check(): Promise<Update>;
    install(request: UpdateInstall): Promise<Update>;
    rollback(): Promise<Update>;
  };
  readonly rollout: RolloutPort;
  readonly system: {
    identify(): Promise<void>;
    restart(action: SystemAction): Promise<void>;
    shutdown(action: SystemAction): Promise<void>;
    factoryReset(action: SystemAction): Promise<void>;
    setTally(tally: Tally): Promise<Tally>;
  };
  readiness(): { ready: boolean; reasons: string[] };
  metrics(): Promise<string>;
  /** The latest lines of the log, oldest first. */
  logs(lines: number): readonly string[];
  readonly adoption: {
    list(): readonly NewCamera[];
    adopt(cameraId: string, code: string): Promise<NewCamera>;
    unadopt(cameraId: string): Promise<void>;
    forgetHub(): Promise<void>;
    /** Rejects with CODE_WRONG if this camera does not show that code. */
    confirmHub(code: string): Promise<void>;
    /** Takes over the socket of a camera that asks to be adopted. */
    accept(socket: WebSocket, caller: Caller): void;
  };
  readonly mqtt: {
    /** Rejects with BROKER_UNKNOWN if no such broker waits. */
    accept(id: string): Promise<MqttLink>;
    forget(): Promise<void>;
  };
  /** Takes over a camera's link. */
  acceptAgent(socket: WebSocket, caller: Caller): void;
}
