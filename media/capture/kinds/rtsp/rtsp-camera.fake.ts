import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What the camera sends and says. */
export interface RtspCameraOptions {
  /** Arguments of ffmpeg between its input, a test picture of 320x180, and its RTP output: the encoder and its settings. */
  readonly encode: readonly string[];
  /** Frames per second of the test picture. */
  readonly fps?: number;
  /** Media lines of the SDP: what the camera says that it sends, true or not. */
  readonly media: readonly string[];
  /** The header line `Authorization` without which it answers 401. */
  readonly authorization?: string;
  /** Answers this request with this status line, such as `454 Session Not Found`. */
  readonly refuse?: readonly [method: string, status: string];
}

/** A network camera: an RTSP server (RFC 2326) that sends what ffmpeg encodes, over TCP, to one client. For tests. */
export class RtspCamera implements AsyncDisposable {
  readonly #options: RtspCameraOptions;
  readonly #server: Server;
  readonly #rtp: UdpSocket;
  readonly #clients = new Set<Socket>();
  #encoder: ChildProcess | null = null;
  /** Values of the header `Authorization` that clients sent. */
  readonly authorizations: string[] = [];

  private constructor(options: RtspCameraOptions, server: Server, rtp: UdpSocket) {
    this.#options = options;
    this.#server = server;
    this.#rtp = rtp;
  }

  static async open(options: RtspCameraOptions): Promise<RtspCamera> {
    const rtp = createSocket('udp4').bind(0, '127.0.0.1');
    await once(rtp, 'listening');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const camera = new RtspCamera(options, server, rtp);
    server.on('connection', (client) => camera.#serve(client));
    return camera;
  }

  /** Its address with this path. */
  url(path = 'stream'): string {
    return `rtsp://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#encoder?.kill('SIGKILL');
    for (const client of this.#clients) client.destroy();
    this.#server.close();
    this.#rtp.close();
    await once(this.#server, 'close');
  }

  #serve(client: Socket): void {
    this.#clients.add(client);
    client.on('error', () => {}); // it leaves as it likes
    client.on('close', () => this.#clients.delete(client));
    let rest = '';
    client.on('data', (bytes) => {
      rest += bytes.toString('latin1');
      for (let end = rest.indexOf('\r\n\r\n'); end >= 0; end = rest.indexOf('\r\n\r\n')) {
        // Between requests a client sends RTCP.
        const request = /[A-Z_]+ rtsp:.*$/s.exec(rest.slice(0, end))?.[0];
        rest = rest.slice(end + 4);
        if (request !== undefined) client.write(this.#answer(request, client));
      }
    });
  }

  #answer(request: string, client: Socket): string {
    const method = request.split(' ')[0] ?? '';
    const cseq = /^CSeq: *(\d+)/im.exec(request)?.[1] ?? '0';
    const authorization = /^Authorization: *(.+)$/im.exec(request)?.[1]?.trim();
    if (authorization !== undefined) this.authorizations.push(authorization);
    const reply = (status: string, headers: readonly string[] = [], body = '') =>
      [`RTSP/1.0 ${status}`, `CSeq: ${cseq}`, ...headers, `Content-Length: ${body.length}`, '', body].join(
        '\r\n',
      );
    const { refuse, authorization: wanted, media } = this.#options;
    if (method === 'OPTIONS') return reply('200 OK', ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN']);
    if (wanted !== undefined && authorization !== wanted)
      return reply('401 Unauthorized', ['WWW-Authenticate: Basic realm="camera"']);
    if (refuse?.[0] === method) return reply(refuse[1]);
    switch (method) {
      case 'DESCRIBE': {
        const sdp = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=camera', 'c=IN IP4 0.0.0.0', 't=0 0', ...media];
        return reply('200 OK', ['Content-Type: application/sdp'], `${sdp.join('\r\n')}\r\n`);
      }
      case 'SETUP':
        return reply('200 OK', ['Transport: RTP/AVP/TCP;unicast;interleaved=0-1', 'Session: 1']);
      case 'PLAY':
        this.#play(client);
        return reply('200 OK', ['Session: 1']);
      default:
        return reply('200 OK', ['Session: 1']);
    }
  }

  #play(client: Socket): void {
    const { encode, fps = 25 } = this.#options;
    this.#rtp.removeAllListeners('message');
    this.#rtp.on('message', (packet) => {
      const head = Buffer.from([0x24, 0, packet.length >> 8, packet.length & 0xff]);
      if (!client.destroyed) client.write(Buffer.concat([head, packet]));
    });
    this.#encoder?.kill('SIGKILL');
    const input = ['-v', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=s=320x180:r=${fps}`];
    const output = [
      '-payload_type',
      '96',
      '-f',
      'rtp',
      `rtp://127.0.0.1:${this.#rtp.address().port}?pkt_size=1200`,
    ];
    this.#encoder = spawn('ffmpeg', [...input, ...encode, ...output], { stdio: 'ignore' });
  }
}
