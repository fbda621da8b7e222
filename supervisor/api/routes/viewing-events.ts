/** Streams of events that belong to viewing sessions (WHEP draft, server-sent events extension). */
import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import type { Context } from 'koa';
import { type Feed, viewingEvents } from '../../contract/index.ts';
import type { ApiPorts, SessionClaim } from '../../contract/ports.ts';
import { ApiError } from '../api-error.ts';

type ViewingEvent = (typeof viewingEvents)[number];

const keepAliveMs = 15_000;
/** A stream that nobody reads is forgotten. */
const unreadMs = 60_000;
const maxBacklogBytes = 64 * 1024;
const mostStreams = 1024;
const mostOfSession = 4;

interface Stream {
  readonly claim: SessionClaim;
  readonly events: ReadonlySet<ViewingEvent>;
  usedAtMs: number;
  /** Ends what a client reads now; null while nobody reads. */
  stop: (() => void) | null;
}

/** The event streams of viewers. */
export class EventStreams {
  readonly #ports: ApiPorts;
  readonly #streams = new Map<string, Stream>();

  constructor(ports: ApiPorts) {
    this.#ports = ports;
  }

  /** Gives the name of a new stream of a living session. Events that nobody knows are left out. */
  open(claim: SessionClaim, wanted: readonly string[] = viewingEvents): string {
    this.#forget(claim.sessionId);
    const name = randomBytes(16).toString('hex');
    const events = new Set(viewingEvents.filter((event) => wanted.includes(event)));
    this.#streams.set(name, { claim, events, usedAtMs: performance.now(), stop: null });
    return name;
  }

  /** Answers with the stream: what is known now, then what changes. Rejects with ROUTE_UNKNOWN. */
  async answer(params: StreamParams, ctx: Context): Promise<void> {
    const stream = this.#named(params);
    const feeds = await this.#ports.feeds();
    stream.stop?.();
    const body = new PassThrough();
    const write = (text: string) => {
      if (body.writableLength + body.readableLength > maxBacklogBytes) ctx.res.destroy();
      else if (!body.destroyed) body.write(text);
    };
    write('retry: 1000\n\n');
    const sent = new Map<string, string>();
    const tell = (feeds: readonly Feed[]) => {
      const feed = feeds.find(({ id }) => id === params.feed);
      for (const [event, data] of eventsOf(feed)) {
        const kind = event === 'inactive' ? 'active' : event;
        const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
        const isNews = sent.get(kind) !== text && !(event === 'inactive' && !sent.has(kind));
        if (!stream.events.has(event) || !isNews) continue;
        sent.set(kind, text);
        write(text);
      }
    };
    const unsubscribe = this.#ports.subscribe((event) => {
      if (event.type === 'status') tell(event.status.feeds);
    });
    const keepAlive = setInterval(() => {
      write(': still here\n\n');
      void this.#endWithSession(params.stream, stream);
    }, keepAliveMs);
    stream.stop = () => {
      clearInterval(keepAlive);
      unsubscribe();
      stream.usedAtMs = performance.now();
      stream.stop = null;
      body.end();
    };
    const stop = stream.stop;
    ctx.req.once('close', stop);
    ctx.set('Cache-Control', 'no-cache');
    ctx.set('X-Accel-Buffering', 'no');
    ctx.type = 'text/event-stream';
    ctx.body = body;
    tell(feeds);
  }

  /** Throws ROUTE_UNKNOWN if there is no such stream, or no longer. */
  end(params: StreamParams): void {
    this.#named(params).stop?.();
    this.#streams.delete(params.stream);
  }

  #named({ feed, session, stream: name }: StreamParams): Stream {
    const stream = this.#streams.get(name);
    if (stream === undefined || stream.claim.feed !== feed || stream.claim.sessionId !== session)
      throw new ApiError(
        'ROUTE_UNKNOWN',
        'There is no such stream of events; it may have ended with its session.',
      );
    return stream;
  }

  /** A session takes its streams along. */
  async #endWithSession(name: string, stream: Stream): Promise<void> {
    try {
      await this.#ports.signaling.session(stream.claim);
    } catch {
      // Whatever the reason, a player that still wants events asks for them again.
      stream.stop?.();
      this.#streams.delete(name);
    }
  }

  /** Makes room: streams that nobody reads, the oldest of this session, and the oldest of all. */
  #forget(sessionId: string): void {
    const nowMs = performance.now();
    for (const [name, { stop, usedAtMs }] of this.#streams) {
      if (stop === null && nowMs - usedAtMs > unreadMs) this.#streams.delete(name);
    }
    const ofSession = [...this.#streams].filter(([, { claim }]) => claim.sessionId === sessionId);
    const surplus = [
      ...ofSession.slice(0, Math.max(0, ofSession.length + 1 - mostOfSession)),
      ...[...this.#streams].slice(0, Math.max(0, this.#streams.size + 1 - mostStreams)),
    ];
    for (const [name, { stop }] of surplus) {
      stop?.();
      this.#streams.delete(name);
    }
  }
}

interface StreamParams {
  readonly feed: string;
  readonly session: string;
  readonly stream: string;
}

/** What is to be said of a feed, each with its data. */
function eventsOf(feed: Feed | undefined): [ViewingEvent, unknown][] {
  const active = feed?.state === 'online';
  const layers = (feed?.layers ?? []).map(({ rid, width, height, bitrateKbps }) => ({
    rid,
    // In steps, so that not every figure is news.
    bitrate: Math.round(bitrateKbps / 100) * 100_000,
    ...(width === null ? {} : { width }),
    ...(height === null ? {} : { height }),
  }));
  return [
    [active ? 'active' : 'inactive', {}],
    // By the order of the media sections; the only one with video is the first as a rule.
    ['layers', { 0: layers }],
    ['viewercount', { viewercount: feed?.viewers.length ?? 0 }],
  ];
}
