/** The offer with which a camera publishes to a hub. */

import type { LocalSide, SentTracks } from './answer.ts';
import { profileOf } from './h264-profile.ts';
import { candidateLines } from './ice-lines.ts';

export const PUSH_PAYLOAD_TYPES = { video: 96, audio: 111 } as const;

/** `profileLevelId` is that of the stream as it is sent. */
export function buildPushOffer(
  local: LocalSide,
  tracks: SentTracks,
  stream: { readonly profileLevelId: string; readonly hasAudio: boolean },
): string {
  const { video, audio } = PUSH_PAYLOAD_TYPES;
  const transport = [
    `a=ice-ufrag:${local.ice.ufrag}`,
    `a=ice-pwd:${local.ice.pwd}`,
    `a=fingerprint:${local.fingerprint.algorithm} ${local.fingerprint.value}`,
    'a=setup:actpass',
    'a=rtcp-mux',
    'a=sendonly',
  ];
  const lines = [
    'v=0',
    'o=rushlight 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${stream.hasAudio ? '0 1' : '0'}`,
    `m=video 9 UDP/TLS/RTP/SAVPF ${video}`,
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    ...transport,
    `a=rtpmap:${video} H264/90000`,
    `a=fmtp:${video} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${offeredProfile(stream.profileLevelId)}`,
    `a=rtcp-fb:${video} nack`,
    `a=rtcp-fb:${video} nack pli`,
    `a=msid:${tracks.streamId} video`,
    `a=ssrc:${tracks.videoSsrc} cname:${tracks.cname}`,
    ...candidateLines(local.candidates).map((line) => `a=${line}`),
    'a=end-of-candidates',
  ];
  if (stream.hasAudio) {
    lines.push(
      `m=audio 9 UDP/TLS/RTP/SAVPF ${audio}`,
      'c=IN IP4 0.0.0.0',
      'a=mid:1',
      ...transport,
      `a=rtpmap:${audio} opus/48000/2`,
      `a=fmtp:${audio} minptime=10;useinbandfec=1`,
      `a=msid:${tracks.streamId} audio`,
      `a=ssrc:${tracks.audioSsrc} cname:${tracks.cname}`,
    );
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** Plain baseline is announced as constrained: encoders that call themselves so do not use what the constraint forbids. */
function offeredProfile(profileLevelId: string): string {
  return profileOf(profileLevelId) === 'baseline' ? `42e0${profileLevelId.slice(4)}` : profileLevelId;
}
