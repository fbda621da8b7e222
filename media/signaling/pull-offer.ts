/** The offer with which a feed is pulled from another server by WHEP. */
import { type LocalSide, originLine } from './answer.ts';
import { type AudioFormat, audioLines } from './audio-format.ts';
import { candidateLines } from './ice-lines.ts';

/** Profiles in the order in which decoders are likely to have them; the server picks the one its stream has. */
const videoFormats = [
  { payloadType: 96, profileLevelId: '42e034' },
  { payloadType: 97, profileLevelId: '4d0034' },
  { payloadType: 98, profileLevelId: '640034' },
] as const;
/** Other servers refuse the whole where one section has nothing in common: what is not passed on is offered as well. */
const audioFormats: readonly AudioFormat[] = [
  { codec: 'opus', payloadType: 111 },
  { codec: 'pcmu', payloadType: 0 },
  { codec: 'pcma', payloadType: 8 },
];
const g722PayloadType = 9;

/** The text of the offer. */
export function buildPullOffer(local: LocalSide): string {
  const transport = [
    `a=ice-ufrag:${local.ice.ufrag}`,
    `a=ice-pwd:${local.ice.pwd}`,
    `a=fingerprint:${local.fingerprint.algorithm} ${local.fingerprint.value}`,
    'a=setup:actpass',
    'a=rtcp-mux',
    'a=rtcp-mux-only',
    'a=recvonly',
  ];
  const lines = [
    'v=0',
    originLine(),
    's=-',
    't=0 0',
    'a=ice-options:ice2',
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
    `m=audio 9 UDP/TLS/RTP/SAVPF ${[...audioFormats.map(({ payloadType }) => payloadType), g722PayloadType].join(' ')}`,
    'c=IN IP4 0.0.0.0',
    'a=mid:1',
    ...transport,
    ...audioFormats.flatMap(audioLines),
    `a=rtpmap:${g722PayloadType} G722/8000`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}
