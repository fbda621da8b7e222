/**
 * Descriptions in the words of the clients that people have, with what is peculiar to each. They were written for these tests
 * after what the clients send.
 */
const digest = (separator = ':'): string =>
  Array.from({ length: 32 }, (_, i) => (i * 7 + 3).toString(16).padStart(2, '0').toUpperCase()).join(
    separator,
  );

const sdp = (...lines: readonly (string | readonly string[])[]): string => `${lines.flat().join('\r\n')}\r\n`;

/** ICE and DTLS as most write them, at the section. */
const transport = (setup: string): string[] => [
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:aB3d',
  'a=ice-pwd:0123456789abcdefghijklmn',
  `a=fingerprint:sha-256 ${digest()}`,
  `a=setup:${setup}`,
  'a=rtcp-mux',
];

/**
 * ffmpeg's whip muxer: it waits for our hello, knows retransmission only under its own payload type, and names a profile with
 * flags.
 */
export const ffmpegWhip = sdp(
  ['v=0', 'o=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1', 's=FFmpegPublishSession', 't=0 0'],
  ['a=group:BUNDLE 0 1', 'a=extmap-allow-mixed', 'a=msid-semantic: WMS'],
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  ...transport('passive'),
  ['a=mid:0', 'a=sendonly', 'a=msid:FFmpeg audio', 'a=rtpmap:111 opus/48000/2'],
  ['a=ssrc:1001 cname:FFmpeg', 'a=ssrc:1001 msid:FFmpeg audio'],
  'm=video 9 UDP/TLS/RTP/SAVPF 106 105',
  ...transport('passive'),
  ['a=mid:1', 'a=sendonly', 'a=msid:FFmpeg video', 'a=rtcp-rsize', 'a=rtpmap:106 H264/90000'],
  ['a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=242e01f'],
  ['a=rtcp-fb:106 nack', 'a=rtpmap:105 rtx/90000', 'a=fmtp:105 apt=106', 'a=ssrc-group:FID 2001 2002'],
  ['a=ssrc:2001 cname:FFmpeg', 'a=ssrc:2002 cname:FFmpeg'],
);

/** OBS 30: libdatachannel, audio first, without candidates. */
export const obs30 = sdp(
  ['v=0', 'o=rtc 3767197920 0 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1', 'a=group:LS 0 1'],
  ['a=msid-semantic:WMS *', 'a=ice-options:ice2,trickle', `a=fingerprint:sha-256 ${digest()}`],
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  ['c=IN IP4 0.0.0.0', 'a=mid:0', 'a=sendonly', 'a=ssrc:11 cname:obs', 'a=rtcp-mux'],
  ['a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;useinbandfec=1'],
  ['a=setup:actpass', 'a=ice-ufrag:h4x0', 'a=ice-pwd:0123456789abcdefghijklmn'],
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  [
    'c=IN IP4 0.0.0.0',
    'a=mid:1',
    'a=sendonly',
    'a=ssrc:12 cname:obs',
    'a=rtcp-mux',
    'a=rtpmap:96 H264/90000',
  ],
  ['a=rtcp-fb:96 nack', 'a=rtcp-fb:96 nack pli', 'a=rtcp-fb:96 goog-remb'],
  ['a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1'],
  ['a=setup:actpass', 'a=ice-ufrag:h4x0', 'a=ice-pwd:0123456789abcdefghijklmn'],
);

/** OBS 32 with three layers. */
export const obs32Simulcast = obs30.replace(
  'a=mid:1\r\n',
  sdp(
    ['a=mid:1', 'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid'],
    ['a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id'],
    ['a=rid:0 send', 'a=rid:1 send', 'a=rid:2 send', 'a=simulcast:send 0;1;2'],
  ),
);

/** GStreamer's webrtcbin behind whepclientsrc: words as mids, no packetization mode, sound first. */
export const gstreamerWhep = sdp(
  ['v=0', 'o=- 5271236589034 0 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=ice-options:trickle'],
  'a=group:BUNDLE audio0 video1',
  'm=audio 9 UDP/TLS/RTP/SAVPF 97',
  ...transport('actpass'),
  ['a=rtcp-mux-only', 'a=rtcp-rsize', 'a=recvonly', 'a=rtpmap:97 MPEG4-GENERIC/44100', 'a=mid:audio0'],
  'm=video 0 UDP/TLS/RTP/SAVPF 96',
  ...transport('actpass'),
  ['a=bundle-only', 'a=rtcp-rsize', 'a=recvonly', 'a=rtpmap:96 H264/90000', 'a=mid:video1'],
);

/** webrtcbin with bundle-policy=none: a transport for each section, the sound's first, and a picture that was stopped. */
export const gstreamerUnbundled = sdp(
  ['v=0', 'o=- 5271236589034 0 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=ice-options:trickle'],
  'm=audio 9 UDP/TLS/RTP/SAVPF 97',
  ...transport('actpass').map((line) => line.replace('aB3d', 'sound')),
  ['a=sendonly', 'a=rtpmap:97 OPUS/48000/2', 'a=mid:audio0'],
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  ...transport('actpass').map((line) => line.replace('aB3d', 'picture')),
  [
    'a=sendonly',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 packetization-mode=1;profile-level-id=42c01f',
    'a=mid:video1',
  ],
  'm=video 0 UDP/TLS/RTP/SAVPF 98',
  'a=mid:video2',
);

/** A camera on libdatachannel with the sound of telephones, first in the bundle and without an rtpmap. */
export const ipCameraPcma = sdp(
  ['v=0', 'o=rtc 1 0 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1'],
  'm=audio 9 UDP/TLS/RTP/SAVPF 8',
  ...transport('actpass'),
  ['a=mid:0', 'a=sendonly'],
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  ...transport('actpass'),
  ['a=mid:1', 'a=sendonly', 'a=rtpmap:96 H264/90000'],
  'a=fmtp:96 profile-level-id=640028;packetization-mode=1',
);

/** Safari as a viewer: High first. */
export const safariWhep = sdp(
  ['v=0', 'o=- 7214372836 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1', 'a=msid-semantic: WMS'],
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 100',
  ...transport('actpass'),
  [
    'a=mid:0',
    'a=recvonly',
    'a=rtcp-rsize',
    'a=rtpmap:96 H264/90000',
    'a=rtcp-fb:96 nack',
    'a=rtcp-fb:96 nack pli',
  ],
  ['a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f'],
  [
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
    'a=rtpmap:98 H264/90000',
    'a=rtcp-fb:98 nack',
    'a=rtcp-fb:98 nack pli',
  ],
  ['a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f'],
  ['a=rtpmap:99 rtx/90000', 'a=fmtp:99 apt=98', 'a=rtpmap:100 H265/90000'],
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8',
  ...transport('actpass'),
  ['a=mid:1', 'a=recvonly', 'a=rtpmap:111 opus/48000/2', 'a=rtpmap:9 G722/8000'],
  ['a=rtpmap:0 PCMU/8000', 'a=rtpmap:8 PCMA/8000'],
);

/** Firefox with OpenH264: one profile in both modes, the credentials at the section, the fingerprint at the session. */
export const firefoxWhep = sdp(
  ['v=0', 'o=mozilla...THIS_IS_SDPARTA-99.0 4858251974351650128 0 IN IP4 0.0.0.0', 's=-', 't=0 0'],
  [`a=fingerprint:sha-256 ${digest()}`, 'a=group:BUNDLE 0', 'a=ice-options:trickle', 'a=msid-semantic:WMS *'],
  'm=video 9 UDP/TLS/RTP/SAVPF 126 97',
  ['c=IN IP4 0.0.0.0', 'a=recvonly', 'a=mid:0', 'a=rtcp-mux', 'a=setup:actpass'],
  ['a=ice-pwd:0123456789abcdefghijklmn', 'a=ice-ufrag:1f2e3d4c'],
  ['a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1'],
  [
    'a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1',
    'a=rtcp-fb:126 nack',
    'a=rtcp-fb:126 nack pli',
  ],
  ['a=rtpmap:126 H264/90000', 'a=rtpmap:97 H264/90000'],
);

/** aiortc as a publisher: several hashes, sound first. */
export const aiortcWhip = sdp(
  [
    'v=0',
    'o=- 3940000000 3940000000 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1',
    'a=msid-semantic:WMS *',
  ],
  'm=audio 9 UDP/TLS/RTP/SAVPF 96 0 8',
  ['c=IN IP4 0.0.0.0', 'a=sendonly', 'a=mid:0', 'a=rtcp:9 IN IP4 0.0.0.0', 'a=rtcp-mux'],
  ['a=rtpmap:96 opus/48000/2', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:8 PCMA/8000'],
  ['a=ice-ufrag:xYz1', 'a=ice-pwd:0123456789abcdefghijkl', `a=fingerprint:sha-256 ${digest()}`],
  [
    `a=fingerprint:sha-384 ${digest()}:${digest().slice(0, 47)}`,
    `a=fingerprint:sha-512 ${digest()}:${digest()}`,
  ],
  'a=setup:actpass',
  'm=video 9 UDP/TLS/RTP/SAVPF 97 98 99 100 101 102',
  ['c=IN IP4 0.0.0.0', 'a=sendonly', 'a=mid:1', 'a=rtcp:9 IN IP4 0.0.0.0', 'a=rtcp-mux'],
  ['a=rtpmap:97 VP8/90000', 'a=rtpmap:98 rtx/90000', 'a=fmtp:98 apt=97', 'a=rtpmap:99 H264/90000'],
  ['a=rtcp-fb:99 nack', 'a=rtcp-fb:99 nack pli', 'a=rtcp-fb:99 goog-remb'],
  ['a=fmtp:99 packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=42001f'],
  ['a=rtpmap:100 rtx/90000', 'a=fmtp:100 apt=99', 'a=rtpmap:101 H264/90000'],
  ['a=fmtp:101 packetization-mode=1;level-asymmetry-allowed=1;profile-level-id=42e01f'],
  ['a=rtpmap:102 rtx/90000', 'a=fmtp:102 apt=101'],
  [
    'a=ice-ufrag:xYz1',
    'a=ice-pwd:0123456789abcdefghijkl',
    `a=fingerprint:sha-256 ${digest()}`,
    'a=setup:actpass',
  ],
);

/** What a camera that has H.265 alone offers. */
export const h265Whip = ipCameraPcma
  .replace('a=rtpmap:96 H264/90000', 'a=rtpmap:96 H265/90000')
  .replace('a=fmtp:96 profile-level-id=640028;packetization-mode=1\r\n', '');
