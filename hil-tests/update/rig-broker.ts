import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connectAsync, type MqttClient } from 'mqtt';
import { freePort } from '../drivers/qemu/free-port.ts';
import { waitFor } from '../lib/wait.ts';

/** A message that the broker got. */
export interface BrokerMessage {
  readonly topic: string;
  readonly payload: string;
}

/** mosquitto on the rig's own machine, on a free port of the loopback address, and all messages it gets. */
export class RigBroker implements AsyncDisposable {
  readonly port: number;
  /** In the order of their arrival. */
  readonly messages: BrokerMessage[] = [];
  readonly #program: ChildProcess;
  readonly #listener: MqttClient;

  private constructor(port: number, program: ChildProcess, listener: MqttClient) {
    this.port = port;
    this.#program = program;
    this.#listener = listener;
    listener.on('message', (topic, payload) => {
      this.messages.push({ topic, payload: payload.toString('utf8') });
    });
  }

  /** Starts it and listens to the topics of `filter`. */
  static async start(filter: string, signal: AbortSignal): Promise<RigBroker> {
    const port = await freePort('tcp');
    // Without a settings file it listens only on loopback, and admits everyone.
    const program = spawn('mosquitto', ['-p', String(port)], { stdio: 'ignore' });
    const failed = once(program, 'error').then(([error]) => Promise.reject(error));
    try {
      const url = `mqtt://127.0.0.1:${port}`;
      const up = waitFor('the broker is up', () => connectAsync(url, { reconnectPeriod: 0 }, false), {
        timeoutMs: 30_000,
        pollMs: 200,
        signal,
      });
      const listener = await Promise.race([up, failed]);
      failed.catch(() => {}); // mosquitto runs: there is nothing left to fail at its start
      const broker = new RigBroker(port, program, listener);
      await listener.subscribeAsync(filter, { qos: 1 });
      return broker;
    } catch (error) {
      program.kill();
      throw error;
    }
  }

  /** Messages under a topic from message number `since` on. */
  messagesOn(topic: string, since = 0): string[] {
    return this.messages
      .slice(since)
      .filter((message) => message.topic === topic)
      .map(({ payload }) => payload);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.endAsync(true);
    if (this.#program.exitCode !== null || this.#program.signalCode !== null) return;
    const ended = once(this.#program, 'close');
    this.#program.kill();
    await ended;
  }
}
