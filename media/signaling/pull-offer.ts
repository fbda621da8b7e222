/** The offer with which a feed is pulled from another server by WHEP. */
import type { LocalSide } from './answer.ts';
import { candidateLines } from './ice-lines.ts';

/** Profiles in the order in which decoders are likely to have them; the server picks the one its stream has. */
const videoFormats = [
  { payloadType: 96, profileLevelId: '42e034' },
  { payloadType: 97, profileLevelId: '4d0034' },
  { payloadType: 98, profileLevelId: '640034' },
] as const;
const audioPayloadType = 111;

export function buildPullOffer(local: LocalSide): string {
  const transport = [
    `a=ice-ufrag:${local.ice.ufrag}`,
    `a=ice-pwd:${local.ice.pwd}`,
    `a=fingerprint:${local.fingerprint.algorithm} ${local.fingerprint.value}`,
    'a=setup:actpass',
    'a=rtcp-mux',
    'a=recvonly',
  ];
  const lines = [
    'v=0',
    'o=rushlight 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1',
    `m=video 9 UDP/TLS/RTP/SAVPF ${videoFormats.map(({ payloadType }) => payloadType).join(' ')}`,
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    ...transport,
    ...videoFormats.flatMap(({ payloadType, profileLevelId }) => [
      `a=rtpmap:${payloadType} H264/90000`,
      `a=fmtp:${payloadType} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profileLevelId}`,
      `a=rtcp-fb:${payloadType} nack`,
      `a=rtcp-fb:${payloadType} nack pli`,
      `a=rtcp-fb:${payloadType} goog-remb`,
    ]),
    ...candidateLines(local.candidates).map((line) => `a=${line}`),
    'a=end-of-candidates',
    `m=audio 9 UDP/TLS/RTP/SAVPF ${audioPayloadType}`,
    'c=IN IP4 0.0.0.0',
    'a=mid:1',
    ...transport,
    `a=rtpmap:${audioPayloadType} opus/48000/2`,
    `a=fmtp:${audioPayloadType} minptime=10;useinbandfec=1`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}
