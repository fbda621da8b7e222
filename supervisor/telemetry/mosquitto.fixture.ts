import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const program = '/usr/sbin/mosquitto';

/** How the broker runs. */
export interface MosquittoOptions {
  /** Users with their passwords; without users anyone may connect. */
  readonly users?: Readonly<Record<string, string>>;
  /** Access list in mosquitto's format. */
  readonly acl?: string;
  /** TLS with the files of `makeCertificates`. */
  readonly tls?: Certificates & { readonly clientCertificates: boolean };
}

/** Debian's mosquitto on a port of its own, stopped and started at will. For tests. */
export class Mosquitto implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  #process: ChildProcess | null = null;
  /** A test that is cut short must not leave a broker behind. */
  readonly #onExit = () => {
    this.#process?.kill('SIGKILL');
  };

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  static async start(options: MosquittoOptions = {}): Promise<Mosquitto> {
    const folder = await mkdtemp(join(tmpdir(), 'rushlight-mosquitto-'));
    const broker = new Mosquitto(folder, await freePort());
    await writeFile(join(folder, 'mosquitto.conf'), await configText(folder, broker.port, options));
    await broker.start();
    return broker;
  }

  async start(): Promise<void> {
    this.#process = spawn(program, ['-c', join(this.#folder, 'mosquitto.conf')], { stdio: 'ignore' });
    process.once('exit', this.#onExit);
    const exit = once(this.#process, 'exit').then(() => Promise.reject(new Error('mosquitto ended')));
    await Promise.race([untilListening(this.port), exit]);
    exit.catch(() => undefined); // a later end is the test's own doing
  }

  /** `SIGKILL` loses what was not saved; `SIGTERM` saves retained messages. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const running = this.#process;
    this.#process = null;
    process.off('exit', this.#onExit);
    if (running === null || running.exitCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Files of a test's certificates. */
export interface Certificates {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** A certificate authority, a server for `localhost` and a client, made by openssl in the folder. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const file = (name: string) => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run('openssl', [
    'req',
    '-x509',
    ...newKey,
    '-days',
    '2',
    '-subj',
    '/CN=Test CA',
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
  ]);
  for (const [name, subject, extension] of [
    ['server', '/CN=localhost', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ['client', '/CN=camera', 'extendedKeyUsage=clientAuth'],
  ] as const) {
    const signed = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-days', '2'];
    const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)];
    await run('openssl', [
      'req',
      '-x509',
      ...newKey,
      '-subj',
      subject,
      '-addext',
      extension,
      '-addext',
      'basicConstraints=critical,CA:FALSE',
      ...signed,
      ...out,
    ]);
  }
  return {
    ca: file('ca.pem'),
    serverCert: file('server.pem'),
    serverKey: file('server.key'),
    clientCert: file('client.pem'),
    clientKey: file('client.key'),
  };
}

async function configText(
  folder: string,
  port: number,
  { users, acl, tls }: MosquittoOptions,
): Promise<string> {
  const lines = [
    `user ${userInfo().username}`,
    `listener ${port} 127.0.0.1`,
    'persistence true',
    `persistence_location ${folder}/`,
  ];
  if (users === undefined) {
    lines.push('allow_anonymous true');
  } else {
    const file = join(folder, 'passwords');
    await writeFile(file, '');
    await chmod(file, 0o600);
    for (const [user, password] of Object.entries(users))
      await run('mosquitto_passwd', ['-b', file, user, password]);
    lines.push('allow_anonymous false', `password_file ${file}`);
  }
  if (acl !== undefined) {
    await writeFile(join(folder, 'acl'), acl, { mode: 0o600 });
    lines.push(`acl_file ${join(folder, 'acl')}`);
  }
  if (tls !== undefined) {
    lines.push(`cafile ${tls.ca}`, `certfile ${tls.serverCert}`, `keyfile ${tls.serverKey}`);
    if (tls.clientCertificates) lines.push('require_certificate true', 'use_identity_as_username true');
  }
  return `${lines.join('\n')}\n`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function untilListening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await sleep(50); // not up yet
    } finally {
      socket.destroy();
    }
  }
}
