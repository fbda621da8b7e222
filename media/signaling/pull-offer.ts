/** The offer with which a feed is pulled from another server by WHEP. */

import type { VideoCodec } from '../rtp/video-payload.ts';
import { type AudioFormat, audioLines, offeredAudio } from './audio-format.ts';
import { h265Parameters } from './h265-profile.ts';
import { headLines, type LocalSide, ourCandidateLines, transportLines } from './local-side.ts';

/** Profiles in the order in which decoders are likely to have them; the server picks the one its stream has. */
const h264Formats: readonly PictureFormat[] = ['42e034', '4d0034', '640034'].map((profileLevelId, i) => ({
  payloadType: 96 + i,
  codec: 'H264',
  parameters: `level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profileLevelId}`,
}));
/** Other servers reject the whole offer if one section has nothing in common: sound that is not passed on is offered as well. */
const g722PayloadType = 9;

/** Main and Main 10, up to level 6.2. */
const h265Formats: readonly PictureFormat[] = [1, 2].map((profileId, i) => ({
  payloadType: 96 + i,
  codec: 'H265',
  parameters: h265Parameters({ profileId, tierFlag: 0, levelId: 186 }),
}));

interface PictureFormat {
  readonly payloadType: number;
  readonly codec: 'H264' | 'H265';
  readonly parameters: string;
}

/** The text of the offer: one codec of the picture, so that a server with both has no choice, and all of the sound or one. */
export function buildPullOffer(
  local: LocalSide,
  { codec = 'h264', sound }: { readonly codec?: VideoCodec; readonly sound?: AudioFormat } = {},
): string {
  const video = codec === 'h264' ? h264Formats : h265Formats;
  const sounds = sound === undefined ? offeredAudio : [sound];
  const others = sound === undefined ? [g722PayloadType] : [];
  const audioTypes = [...sounds.map(({ payloadType }) => payloadType), ...others];
  const transport = [...transportLines(local, 'actpass'), 'a=recvonly'];
  const lines = [
    ...headLines(),
    'a=ice-options:ice2',
    'a=group:BUNDLE 0 1',
    `m=video 9 UDP/TLS/RTP/SAVPF ${video.map(({ payloadType }) => payloadType).join(' ')}`,
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    ...transport,
    ...video.flatMap(({ payloadType, codec: name, parameters }) => [
      `a=rtpmap:${payloadType} ${name}/90000`,
      `a=fmtp:${payloadType} ${parameters}`,
      `a=rtcp-fb:${payloadType} nack`,
      `a=rtcp-fb:${payloadType} nack pli`,
      `a=rtcp-fb:${payloadType} goog-remb`,
    ]),
    ...ourCandidateLines(local),
    `m=audio 9 UDP/TLS/RTP/SAVPF ${audioTypes.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    'a=mid:1',
    ...transport,
    ...sounds.flatMap(audioLines),
    ...others.map((payloadType) => `a=rtpmap:${payloadType} G722/8000`),
  ];
  return `${lines.join('\r\n')}\r\n`;
}
