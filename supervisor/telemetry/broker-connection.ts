import { connect, ErrorWithReasonCode, type IClientOptions, type MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import { untilAborted } from '../../common/pause.ts';
import type { BrokerCredentials } from './broker-credentials.ts';
import { BrokerHungUpError, BrokerLostError, BrokerRefusedError, BrokerVersionError } from './errors.ts';

/** Versions of MQTT that a connection can use. */
export type MqttVersion = '5' | '3.1.1';

/** Where and how to connect. */
export interface ConnectionOptions {
  readonly url: string;
  readonly version: MqttVersion;
  readonly clientId: string;
  readonly credentials: BrokerCredentials;
  readonly will: { readonly topic: string; readonly payload: string };
  readonly keepaliveS: number;
  readonly connectTimeoutMs: number;
  readonly logger: Logger;
}

/** How a message is published. */
export interface PublishOptions {
  readonly retain: boolean;
  readonly qos: 0 | 1;
  readonly correlationData?: Buffer;
}

/** A message from the broker. */
export interface IncomingMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retained: boolean;
  readonly correlationData?: Buffer;
}

/** Largest packet accepted from the broker (MQTT 5), in bytes: our own discovery document read back, with room. */
const largestPacketBytes = 1024 * 1024;
/** Reason codes for a version that the broker does not support: MQTT 5's, and 3.1.1's return code. */
const versionCodes: ReadonlySet<number> = new Set([0x84, 0x01]);
const farewellTimeoutMs = 2000;
/** MQTT 5's reason codes. */
const notAuthorized = 0x87;
const goodbyes: Readonly<Record<number, string>> = {
  139: 'the broker is being shut down',
  141: 'the broker heard nothing for too long',
  142: 'another client connected under the same id: two cards made from one copy have one id; reset one of them',
  149: 'a message is too large for the broker',
  151: 'the broker accepts no further messages',
};

/**
 * One connection to a broker, from CONNACK to its end. It never reconnects by itself: a new connection is a new object, so no
 * queue survives. Publishing on a lost connection rejects with BrokerLostError.
 */
export class BrokerConnection implements AsyncDisposable {
  readonly version: MqttVersion;
  /** Settles with the reason once the connection is lost or closed; never rejects. */
  readonly closed: Promise<BrokerLostError>;
  readonly #client: MqttClient;
  readonly #waiting = new Set<(reason: Error) => void>();
  #isClosed = false;

  private constructor(client: MqttClient, version: MqttVersion, logger: Logger) {
    this.#client = client;
    this.version = version;
    let reason: Error | null = null;
    client.on('error', (error) => {
      reason = error;
      logger.debug({ err: error }, 'broker connection failed');
    });
    client.on('disconnect', (packet) => {
      const code = packet.reasonCode ?? 0;
      reason = new ErrorWithReasonCode(goodbyes[code] ?? `the broker ended the connection (${code})`, code);
    });
    this.closed = new Promise((resolve) => {
      client.once('close', () => {
        this.#isClosed = true;
        const lost = new BrokerLostError(
          'connection to the broker lost',
          reason === null ? {} : { cause: reason },
        );
        for (const reject of this.#waiting) reject(lost);
        resolve(lost);
      });
    });
  }

  /**
   * Connects. Rejects with BrokerVersionError, BrokerRefusedError, BrokerHungUpError, BrokerLostError, or the signal's reason.
   */
  static async open(options: ConnectionOptions, signal: AbortSignal): Promise<BrokerConnection> {
    signal.throwIfAborted();
    const client = connect(options.url, clientOptions(options));
    try {
      await connected(client, signal);
    } catch (error) {
      client.on('error', (late) => options.logger.debug({ err: late }, 'broker connection failed'));
      client.end(true);
      throw error;
    }
    return new BrokerConnection(client, options.version, options.logger);
  }

  onMessage(listener: (message: IncomingMessage) => void): void {
    this.#client.on('message', (topic, payload, { retain, properties }) => {
      const correlationData = properties?.correlationData;
      const message = { topic, payload, retained: retain };
      listener(correlationData === undefined ? message : { ...message, correlationData });
    });
  }

  async publish(topic: string, payload: string | Buffer, options: PublishOptions): Promise<void> {
    const { retain, qos, correlationData } = options;
    const properties = correlationData === undefined || this.version !== '5' ? {} : { correlationData };
    const published = this.#client.publishAsync(topic, payload, { retain, qos, properties });
    await this.#whileOpen(published, `what is published to ${topic}`);
  }

  /** @param replay Whether messages retained on the broker are wanted. MQTT 3.1.1 sends them anyway, marked as retained. */
  async subscribe(topic: string, replay: boolean): Promise<void> {
    const granted = await this.#whileOpen(
      this.#client.subscribeAsync(topic, { qos: 1, rap: true, rh: replay ? 0 : 2 }),
      `the subscription to ${topic}`,
    );
    if (granted.some(({ qos }) => qos >= 128)) {
      throw new BrokerRefusedError(`the broker refuses the subscription to ${topic}`, granted[0]?.qos ?? 128);
    }
  }

  async unsubscribe(topic: string): Promise<void> {
    await this.#whileOpen(this.#client.unsubscribeAsync(topic), `the end of the subscription to ${topic}`);
  }

  /** Says goodbye with last messages and DISCONNECT; after two seconds without an answer it leaves. */
  async close(...farewells: readonly { readonly topic: string; readonly payload: string }[]): Promise<void> {
    if (this.#isClosed) return;
    const deadline = AbortSignal.timeout(farewellTimeoutMs);
    const polite = async () => {
      for (const { topic, payload } of farewells)
        await this.publish(topic, payload, { retain: true, qos: 1 });
      await this.#client.endAsync(false);
    };
    await Promise.race([polite().catch(() => undefined), untilAborted(deadline)]); // a lost link needs no goodbye
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#client.end(true);
    await this.closed;
  }

  /** The work's outcome, or the loss of the connection: an answer that can no longer come is not awaited. */
  async #whileOpen<T>(work: Promise<T>, what: string): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    work.then(resolve, (cause: Error) => reject(notTaken(cause, what)));
    if (this.#isClosed) reject(new BrokerLostError('not connected to the broker'));
    this.#waiting.add(reject);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(reject);
    }
  }
}

function clientOptions(options: ConnectionOptions): IClientOptions {
  const { credentials, version, will } = options;
  return {
    ...credentials,
    clientId: options.clientId,
    protocolVersion: version === '5' ? 5 : 4,
    clean: true,
    keepalive: options.keepaliveS,
    connectTimeout: options.connectTimeoutMs,
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
    rejectUnauthorized: true,
    will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
    ...(version === '5'
      ? { properties: { sessionExpiryInterval: 0, maximumPacketSize: largestPacketBytes } }
      : {}),
  };
}

async function connected(client: MqttClient, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const onError = (error: Error) => reject(refusal(error));
  const onClose = () => reject(new BrokerHungUpError('the broker closed the connection without an answer'));
  client.on('error', onError);
  client.once('close', onClose);
  client.once('connect', () => resolve());
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    client.off('error', onError);
    client.off('close', onClose);
  }
}

function refusal(error: Error): Error {
  if (error instanceof ErrorWithReasonCode) {
    if (versionCodes.has(error.code)) {
      return new BrokerVersionError('the broker does not speak this version of MQTT', { cause: error });
    }
    return new BrokerRefusedError('the broker refuses the connection', error.code, error);
  }
  return new BrokerLostError('cannot connect to the broker', { cause: error });
}

/** MQTT 5 brokers reject single messages with a reason code; anything else means that the link broke. */
function notTaken(cause: Error, what: string): Error {
  if (cause instanceof ErrorWithReasonCode) {
    const remedy = cause.code === notAuthorized ? ': its access list lacks this topic' : '';
    return new BrokerRefusedError(`the broker refuses ${what}${remedy}`, cause.code, cause);
  }
  return new BrokerLostError('connection to the broker lost', { cause });
}
