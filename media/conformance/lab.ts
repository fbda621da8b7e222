/** Tools for the checks of one endpoint. Sessions that a check opens are ended after it. */
import { describeError } from '../../common/errors.ts';
import { type ReadDescription, readDescription } from './description.ts';
import { ConformanceError, NoSessionError } from './errors.ts';
import { type IceSide, makeOffer, type OfferWishes } from './offers.ts';
import { Peer } from './peer.ts';
import type { Protocol } from './requirement.ts';
import { type Answer, type Asked, ask, type Endpoint, FRAGMENT, isGood, SDP } from './server.ts';

/** A session that was opened by an offer without DTLS behind it. */
export interface OpenedSession {
  readonly answer: Answer;
  /** Throws NoSessionError if the answer names none. */
  readonly url: string;
  readonly etag: string;
  readonly ice: IceSide;
  readonly offer: string;
  readonly description: ReadDescription;
}

/** The server under test. */
export interface LabOptions {
  readonly endpoint: Endpoint;
  /** The URL of a name that nobody publishes; null if it is not known. */
  readonly emptyUrl: string | null;
  readonly patience?: Patience;
}

/** How long the looks wait for what should happen. */
export interface Patience {
  /** ICE and DTLS of a peer. */
  readonly connectMs: number;
  readonly mediaMs: number;
  /** A connection that the server ends. */
  readonly endMs: number;
  /** A session whose client is gone: consent expires after 30 s (RFC 7675, section 5.1), and a server may look only now and then. */
  readonly consentMs: number;
  /** Requests of a flood. */
  readonly flood: number;
  /** A slower flood does not count: a server may serve that many forever. */
  readonly floodPerSecond: number;
}

/** How long the checks wait, in milliseconds. */
const usualPatience: Patience = {
  connectMs: 10_000,
  mediaMs: 8000,
  endMs: 5000,
  consentMs: 40_000,
  flood: 500,
  floodPerSecond: 50,
};

/** What checks of a server work with. */
export class Lab {
  readonly endpoint: Endpoint;
  readonly emptyUrl: string | null;
  readonly patience: Patience;
  readonly #opened = new Set<string>();
  readonly #peers = new Set<Peer>();

  constructor({ endpoint, emptyUrl, patience = usualPatience }: LabOptions) {
    this.patience = patience;
    this.endpoint = endpoint;
    this.emptyUrl = emptyUrl;
  }

  get protocol(): Protocol {
    return this.endpoint.protocol;
  }

  /** A request to the endpoint. */
  ask(asked: Asked): Promise<Answer> {
    return ask(this.endpoint, this.endpoint.url, asked);
  }

  /** A request to a session or any other URL of the server. */
  askAt(url: string, asked: Asked): Promise<Answer> {
    return ask(this.endpoint, url, asked);
  }

  /** Posts a description, and notes the session that it may create. */
  async post(sdp: string, more: Partial<Asked> = {}): Promise<Answer> {
    const answer = await this.ask({
      method: 'POST',
      body: sdp,
      ...more,
      headers: { 'content-type': SDP, ...more.headers },
    });
    const location = answer.headers.get('location');
    if (isGood(answer) && location !== null) this.#opened.add(new URL(location, this.endpoint.url).href);
    return answer;
  }

  offer(wishes: OfferWishes = {}): Promise<Answer> {
    return this.post(makeOffer(this.protocol, wishes).sdp);
  }

  /** Rejects with ConformanceError if the offer was not taken or the answer cannot be read. */
  async open(wishes: OfferWishes = {}): Promise<OpenedSession> {
    const { sdp, ice } = makeOffer(this.protocol, wishes);
    const answer = await this.post(sdp);
    if (answer.status !== 201)
      throw new ConformanceError(`there is no session to look at: the offer was answered ${answer.status}`);
    let description: ReadDescription;
    try {
      description = readDescription(answer.body);
    } catch (cause) {
      throw new ConformanceError(`the answer cannot be read: ${describeError(cause)}`, { cause });
    }
    const location = answer.headers.get('location');
    const base = this.endpoint.url;
    return {
      answer,
      ice,
      description,
      offer: sdp,
      get url() {
        if (location === null) throw new NoSessionError('the server names no session (see post-created)');
        return new URL(location, base).href;
      },
      etag: answer.headers.get('etag') ?? '',
    };
  }

  /** `ifMatch` null sends none. */
  patch(url: string, ifMatch: string | null, fragment: string, type = FRAGMENT): Promise<Answer> {
    const condition = ifMatch === null ? {} : { 'if-match': ifMatch };
    return this.askAt(url, {
      method: 'PATCH',
      headers: { 'content-type': type, ...condition },
      body: fragment,
    });
  }

  /** A peer that is connected. Rejects with ConformanceError. */
  async peer(): Promise<Peer> {
    const peer = new Peer(this.endpoint);
    this.#peers.add(peer);
    await peer.connect(this.patience.connectMs);
    if (peer.sessionUrl !== null) this.#opened.add(peer.sessionUrl);
    if (this.protocol === 'whip') peer.play();
    return peer;
  }

  /** Ends what looks have opened. */
  async clear(): Promise<void> {
    for (const peer of this.#peers) peer.leave();
    this.#peers.clear();
    const urls = [...this.#opened];
    this.#opened.clear();
    await Promise.allSettled(urls.map((url) => this.askAt(url, { method: 'DELETE' })));
  }
}
