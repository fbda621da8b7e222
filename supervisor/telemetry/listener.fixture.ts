import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';

/** A message with its topic. */
export interface Received {
  readonly topic: string;
  readonly text: string;
  readonly bytes: Buffer;
  readonly retained: boolean;
}

/** Another client of the broker, such as Home Assistant: receives everything, sends what a test asks it to. For tests. */
export class MqttListener implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    this.#client = client;
  }

  static async connect(port: number, options: IClientOptions = {}): Promise<MqttListener> {
    const client = await connectAsync({
      host: '127.0.0.1',
      port,
      protocol: 'mqtt',
      protocolVersion: 5,
      reconnectPeriod: 200,
      ...options,
    });
    const listener = new MqttListener(client);
    client.on('error', () => undefined); // the tests stop the broker on purpose
    client.on('message', (topic, bytes, { retain }) => {
      listener.received.push({ topic, text: bytes.toString('utf8'), bytes, retained: retain });
    });
    await client.subscribeAsync('#', { qos: 1, rap: true });
    return listener;
  }

  async publish(topic: string, payload: string | Buffer, retain = false): Promise<void> {
    await this.#client.publishAsync(topic, payload, { qos: 1, retain });
  }

  /** Everything heard on a topic, oldest first. */
  on(topic: string): Received[] {
    return this.received.filter((message) => message.topic === topic);
  }

  last(topic: string): string | undefined {
    return this.on(topic).at(-1)?.text;
  }

  forget(): void {
    this.received.length = 0;
  }

  /** Waits until the last message of the topic fits. */
  async until(topic: string, fits: (text: string) => boolean, timeoutMs = 20_000): Promise<string> {
    for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await sleep(20)) {
      const text = this.last(topic);
      if (text !== undefined && fits(text)) return text;
    }
    throw new Error(`nothing that fits on ${topic}; the last was ${this.last(topic)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.endAsync(true);
  }
}
