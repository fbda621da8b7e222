import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** How a broker without MQTT 5 reacts to it. */
export type Mqtt5Manners = 'serve' | 'refuse-as-5' | 'refuse-as-3' | 'hang-up';

/** CONNACK with reason code 0x84 (MQTT 5), and with return code 1 (MQTT 3.1.1). */
const refusals = {
  'refuse-as-5': Buffer.from([0x20, 3, 0, 0x84, 0]),
  'refuse-as-3': Buffer.from([0x20, 2, 0, 1]),
};

/** A proxy between a client and a broker: a cable that can be cut or go dead, or a broker of an older version. For tests. */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [client: Socket, broker: Socket]>();
  readonly #sockets = new Set<Socket>();
  readonly #targetPort: number;
  readonly #manners: Mqtt5Manners;
  /** Protocol levels that clients asked for, oldest first: 5 is MQTT 5, 4 is 3.1.1. */
  readonly levels: number[] = [];

  private constructor(server: Server, targetPort: number, manners: Mqtt5Manners) {
    this.#server = server;
    this.#targetPort = targetPort;
    this.#manners = manners;
  }

  static async start(targetPort: number, manners: Mqtt5Manners = 'serve'): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, targetPort, manners);
    server.on('connection', (client) => proxy.#accept(client));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.port;
  }

  /** Nothing passes any more on the present connections, and no one is notified: half-open connections. */
  freeze(): void {
    for (const [client, broker] of this.#pairs) {
      client.unpipe(broker);
      broker.unpipe(client);
    }
  }

  /** Cuts the connections without a goodbye. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    this.#keep(client);
    client.once('data', (first) => {
      // CONNECT: fixed header with a one- or two-byte length, then "MQTT" with its own length, then the level
      const level = first[first.indexOf('MQTT') + 4] ?? 0;
      this.levels.push(level);
      if (level === 5 && this.#manners !== 'serve') {
        if (this.#manners !== 'hang-up') client.write(refusals[this.#manners]);
        client.end();
        return;
      }
      const broker = connect(this.#targetPort, '127.0.0.1');
      const pair = [client, broker] as const;
      this.#pairs.add(pair);
      this.#keep(broker);
      broker.once('error', () => client.destroy());
      broker.write(first);
      client.pipe(broker);
      broker.pipe(client);
      for (const socket of pair) socket.once('close', () => this.#pairs.delete(pair));
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined); // a cut cable
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
