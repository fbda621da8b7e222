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

/** GStreamer's webrtcbin behind a WHIP client: the sound shares the picture's transport and has no port of its own. */
export const gstreamerWhip = sdp(
  ['v=0', 'o=- 5529482219512524547 0 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=ice-options:trickle'],
  'a=group:BUNDLE video0 audio1',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  ...transport('actpass'),
  ['a=rtcp-rsize', 'a=sendonly', 'a=rtpmap:96 H264/90000', 'a=rtcp-fb:96 nack pli', 'a=rtcp-fb:96 ccm fir'],
  ['a=rtcp-fb:96 transport-cc', 'a=framerate:25'],
  'a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LAFdoFBn58BagwMDUoAAADAAgAAAMBlHixdQ==,aM48gA==;profile-level-id=42c015',
  ['a=ssrc:903468388 msid:user@host track0', 'a=ssrc:903468388 cname:user@host', 'a=mid:video0'],
  'a=rtcp-mux-only',
  'm=audio 0 UDP/TLS/RTP/SAVPF 100',
  ...transport('actpass'),
  ['a=bundle-only', 'a=rtcp-rsize', 'a=sendonly', 'a=rtpmap:100 OPUS/48000/2', 'a=rtcp-fb:100 transport-cc'],
  ['a=fmtp:100 sprop-stereo=0;sprop-maxcapturerate=48000', 'a=ssrc:3072736431 cname:user@host'],
  ['a=mid:audio1', 'a=rtcp-mux-only'],
);

/** GStreamer's whepsrc with caps as its manual has them: sound first, no parameters of the picture, addresses of every kind at once. */
export const gstreamerWhepsrc = sdp(
  ['v=0', 'o=- 3909109611192228381 0 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=ice-options:trickle'],
  'a=group:BUNDLE audio0 video1',
  'm=audio 9 UDP/TLS/RTP/SAVPF 96',
  ...transport('actpass'),
  ['a=rtcp-rsize', 'a=recvonly', 'a=rtpmap:96 OPUS/48000/2', 'a=rtcp-fb:96 transport-cc', 'a=mid:audio0'],
  ['a=rtcp-mux-only', 'a=candidate:1 1 UDP 2015363327 192.0.2.2 52928 typ host'],
  'a=candidate:2 1 TCP 1015021823 192.0.2.2 9 typ host tcptype active',
  'a=candidate:7 1 UDP 2015363839 fe80::fc:ff:fe00:1 39578 typ host',
  'a=end-of-candidates',
  'm=video 0 UDP/TLS/RTP/SAVPF 101',
  ...transport('actpass'),
  ['a=bundle-only', 'a=rtcp-rsize', 'a=recvonly', 'a=rtpmap:101 H264/90000', 'a=rtcp-fb:101 nack pli'],
  ['a=rtcp-fb:101 ccm fir', 'a=rtcp-fb:101 transport-cc', 'a=mid:video1', 'a=rtcp-mux-only'],
);

/** What GStreamer's WHIP client trickles afterwards: a section of its own making, and addresses of every kind. */
export const gstreamerFragment = sdp(
  ['a=ice-ufrag:aB3d', 'a=ice-pwd:0123456789abcdefghijklmn', 'm=audio 9 RTP/AVP 0', 'a=mid:video0'],
  'a=candidate:1 1 UDP 2015363327 192.0.2.2 39377 typ host',
  'a=candidate:2 1 TCP 1015021823 192.0.2.2 9 typ host tcptype active',
  'a=candidate:3 1 TCP 1010827519 192.0.2.2 34849 typ host tcptype passive',
  'a=candidate:7 1 UDP 2015363839 fe80::fc:ff:fe00:1 42453 typ host',
  'a=end-of-candidates',
);

/** Pion, as both of the following have it: extensions behind candidates, and candidates of RTCP. */
const pionCandidates = [
  'a=candidate:2070692838 1 udp 2130706431 192.0.2.20 57179 typ host ufrag aB3d',
  'a=candidate:2070692838 2 udp 2130706431 192.0.2.20 57179 typ host ufrag aB3d',
  'a=candidate:3932658255 1 udp 2130706431 2001:db8::20 41576 typ host ufrag aB3d',
  'a=end-of-candidates',
];
const pionHead = (fingerprint = digest()): string[] => [
  'v=0',
  'o=- 5975703760298364776 1796008520 IN IP4 0.0.0.0',
  's=-',
  't=0 0',
  'a=msid-semantic:WMS *',
  `a=fingerprint:sha-256 ${fingerprint}`,
  'a=extmap-allow-mixed',
  'a=group:BUNDLE 0 1',
];
const pionSection = (mid: number): string[] => [
  'c=IN IP4 0.0.0.0',
  'a=setup:actpass',
  `a=mid:${mid}`,
  'a=ice-ufrag:aB3d',
  'a=ice-pwd:0123456789abcdefghijklmn',
  'a=rtcp-mux',
  'a=rtcp-rsize',
];

/** MediaMTX when it pulls: other codecs first, two profiles of H.264, sound with more channels than browsers have. */
export const mediamtxWhep = sdp(
  pionHead(),
  'm=video 9 UDP/TLS/RTP/SAVPF 96 101 102 103 105 106',
  pionSection(0),
  ['a=rtpmap:96 AV1/90000', 'a=fmtp:96 profile=1', 'a=rtpmap:101 VP9/90000', 'a=fmtp:101 profile-id=0'],
  ['a=rtpmap:102 VP8/90000', 'a=rtpmap:103 H265/90000', 'a=fmtp:103 level-id=93;profile-id=2;tier-flag=0'],
  ['a=rtpmap:105 H264/90000', 'a=rtpmap:106 H264/90000', 'a=rtcp-fb:106 nack', 'a=rtcp-fb:106 nack pli'],
  'a=fmtp:105 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f',
  'a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  ['a=rtcp-fb:106 transport-cc', 'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid', 'a=recvonly'],
  pionCandidates,
  'm=audio 9 UDP/TLS/RTP/SAVPF 112 117 111 9 118 119 0 8 122',
  pionSection(1),
  ['a=rtpmap:112 multiopus/48000/3', 'a=fmtp:112 channel_mapping=0,2,1;num_streams=2;coupled_streams=1'],
  ['a=rtpmap:117 multiopus/48000/8', 'a=rtpmap:111 opus/48000/2', 'a=rtpmap:9 G722/8000'],
  ['a=rtpmap:118 PCMU/8000/2', 'a=rtpmap:119 PCMA/8000/2', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:8 PCMA/8000'],
  ['a=rtpmap:122 L16/48000/2', 'a=recvonly'],
);

/** go2rtc when it pulls: three profiles of H.264 before H.265, feedback named twice. */
export const go2rtcWhep = sdp(
  pionHead(),
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97 98 100',
  pionSection(0),
  ...['42001f', '42e01f', '640032'].map((profile, i) => [
    `a=rtpmap:${96 + i} H264/90000`,
    `a=fmtp:${96 + i} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profile}`,
    ...['goog-remb', 'ccm fir', 'nack', 'nack pli', 'nack', 'nack pli', 'transport-cc'].map(
      (kind) => `a=rtcp-fb:${96 + i} ${kind}`,
    ),
  ]),
  ['a=rtpmap:100 H265/90000', 'a=recvonly'],
  pionCandidates,
  'm=audio 9 UDP/TLS/RTP/SAVPF 101 0 8',
  pionSection(1),
  ['a=rtpmap:101 opus/48000/2', 'a=fmtp:101 minptime=10;useinbandfec=1', 'a=rtpmap:0 PCMU/8000'],
  ['a=rtpmap:8 PCMA/8000', 'a=recvonly'],
);

/** What a camera that has H.265 alone offers. */
export const h265Whip = ipCameraPcma
  .replace('a=rtpmap:96 H264/90000', 'a=rtpmap:96 H265/90000')
  .replace('a=fmtp:96 profile-level-id=640028;packetization-mode=1\r\n', '');
