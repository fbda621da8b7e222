/** The offer with which a camera publishes to a hub. */

import type { SentTracks } from './answer.ts';
import { type AudioFormat, audioLines } from './audio-format.ts';
import { profileOf } from './h264-profile.ts';
import { type H265Format, h265Parameters } from './h265-profile.ts';
import { headLines, type LocalSide, ourCandidateLines, transportLines } from './local-side.ts';

/** Payload type of the picture. */
export const PUSH_VIDEO_PAYLOAD_TYPE = 96;

/** What an offer says about the picture. */
export type PushedPicture =
  | { readonly codec: 'h264'; readonly profileLevelId: string }
  | ({ readonly codec: 'h265' } & Pick<H265Format, 'profileId' | 'tierFlag' | 'levelId'>);

/** `video` is what the stream's own parameter sets say; null before the first. */
export function buildPushOffer(
  local: LocalSide,
  tracks: SentTracks,
  stream: { readonly video: PushedPicture | null; readonly audio: AudioFormat | null },
): string {
  const video = PUSH_VIDEO_PAYLOAD_TYPE;
  const { audio } = stream;
  const transport = [...transportLines(local, 'actpass'), 'a=sendonly'];
  const lines = [
    ...headLines(),
    'a=ice-options:ice2',
    `a=group:BUNDLE ${audio === null ? '0' : '0 1'}`,
    `m=video 9 UDP/TLS/RTP/SAVPF ${video}`,
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    ...transport,
    ...formatLines(video, stream.video ?? { codec: 'h264', profileLevelId: '42e01f' }),
    `a=rtcp-fb:${video} nack`,
    `a=rtcp-fb:${video} nack pli`,
    `a=msid:${tracks.streamId} video`,
    `a=ssrc:${tracks.videoSsrc} cname:${tracks.cname}`,
    ...ourCandidateLines(local),
  ];
  if (audio !== null) {
    lines.push(
      `m=audio 9 UDP/TLS/RTP/SAVPF ${audio.payloadType}`,
      'c=IN IP4 0.0.0.0',
      'a=mid:1',
      ...transport,
      ...audioLines(audio),
      `a=msid:${tracks.streamId} audio`,
      `a=ssrc:${tracks.audioSsrc} cname:${tracks.cname}`,
    );
  }
  return `${lines.join('\r\n')}\r\n`;
}

function formatLines(payloadType: number, picture: PushedPicture): string[] {
  const parameters =
    picture.codec === 'h265'
      ? h265Parameters(picture)
      : `level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${offeredProfile(picture.profileLevelId)}`;
  return [
    `a=rtpmap:${payloadType} ${picture.codec.toUpperCase()}/90000`,
    `a=fmtp:${payloadType} ${parameters}`,
  ];
}

/** Plain baseline is announced as constrained: encoders that call themselves so do not use what the constraint forbids. */
function offeredProfile(profileLevelId: string): string {
  return profileOf(profileLevelId) === 'baseline' ? `42e0${profileLevelId.slice(4)}` : profileLevelId;
}
