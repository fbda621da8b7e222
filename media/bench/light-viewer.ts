/** A viewer that decrypts and counts, and does nothing else. */
import type { MediaClient } from '../control/media-client.ts';
import type { PacketDatapath, PacketTransport } from '../datapath/datapath.ts';
import { parseAnswer } from '../signaling/offer.ts';

export class LightViewer implements Disposable {
  readonly #transport: PacketTransport;
  /** From the offer to the first packet. */
  joinMs: number | null = null;
  packets = 0;

  constructor(transport: PacketTransport) {
    this.#transport = transport;
  }

  static async open(datapath: PacketDatapath, client: MediaClient, feed: string): Promise<LightViewer> {
    const transport = await datapath.openTransport('controlling');
    const viewer = new LightViewer(transport);
    const startMs = performance.now();
    transport.events.on('rtp', () => {
      viewer.joinMs ??= performance.now() - startMs;
      viewer.packets++;
    });
    const sdp = offerOf(transport, datapath);
    const { answer: text } = await client.whepOffer({ feed, sdp, peer: 'bench' });
    const answer = parseAnswer(text);
    transport.connect({
      ...answer.ice,
      candidates: answer.candidates,
      fingerprints: answer.fingerprints,
      dtlsRole: 'client',
    });
    return viewer;
  }

  [Symbol.dispose](): void {
    this.#transport.close();
  }
}

function offerOf(transport: PacketTransport, datapath: PacketDatapath): string {
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=recvonly',
    'a=rtcp-mux',
    `a=ice-ufrag:${transport.local.ufrag}`,
    `a=ice-pwd:${transport.local.pwd}`,
    `a=fingerprint:${datapath.fingerprint.algorithm} ${datapath.fingerprint.value}`,
    'a=setup:active',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 packetization-mode=1;profile-level-id=42e01f',
    'a=rtcp-fb:96 nack',
  ];
  return `${lines.join('\r\n')}\r\n`;
}
