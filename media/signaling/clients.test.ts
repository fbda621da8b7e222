import { describe, expect, it } from 'vitest';
import { NotedTransport } from '../sfu/feed-rig.fake.ts';
import { type AnswerDirection, buildAnswer } from './answer.ts';
import * as clients from './client-offers.fake.ts';
import { lostSound, negotiatePublisher, negotiateViewer } from './negotiate.ts';
import { parseAnswer, parseOffer } from './offer.ts';
import { parseSdp } from './sdp.ts';
import { SignalingSession } from './session.ts';

const local = {
  ice: { ufrag: 'localufrag', pwd: 'localpasswordlocalpassword' },
  candidates: [{ address: '192.0.2.7', port: 8189 }],
  fingerprint: { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => '0A').join(':') },
};
const tracks = { cname: 'c', streamId: 's', videoSsrc: 1, audioSsrc: 2 };

/** The answer, and its sections as `kind port formats direction`. */
function answered(
  text: string,
  direction: AnswerDirection['kind'],
  audioCodec: 'opus' | 'pcma' | null = 'opus',
) {
  const offer = parseOffer(text);
  const negotiated =
    direction === 'receive'
      ? negotiatePublisher(offer)
      : negotiateViewer(offer, { video: { codec: 'h264', profileLevelId: '42c01f' }, audioCodec });
  const answer = buildAnswer(
    offer,
    negotiated,
    local,
    direction === 'receive' ? { kind: 'receive' } : { kind: 'send', tracks },
  );
  const sections = parseSdp(answer).media.map(({ kind, port, formats, attributes }) => {
    const way = attributes.find(({ name }) => /^(sendonly|recvonly|inactive)$/.test(name))?.name;
    return `${kind} ${port} ${formats.join(',')} ${way}`;
  });
  expect(() => parseAnswer(answer)).not.toThrow();
  return { offer, negotiated, answer, sections, lines: answer.split('\r\n') };
}

describe('The offer of', () => {
  it('ffmpeg is accepted with its seven-digit profile and its retransmissions', () => {
    const { sections, lines, offer, negotiated } = answered(clients.ffmpegWhip, 'receive');
    expect(sections).toEqual(['audio 9 111 recvonly', 'video 9 106,105 recvonly']);
    expect(lines).toContain('a=fmtp:105 apt=106');
    expect(lines).toContain('a=rtcp-rsize');
    expect(lines).toContain('a=setup:active');
    expect(negotiated.video.format).toMatchObject({ profileLevelId: '42e01f' });
    expect(negotiated.repairPayloadType).toBe(105);
    expect(offer.setup).toBe('passive');
  });

  it('OBS is accepted without candidates and with credentials in its sections', () => {
    const { sections, offer } = answered(clients.obs30, 'receive');
    expect(sections).toEqual(['audio 9 111 recvonly', 'video 9 96 recvonly']);
    expect(offer.candidates).toEqual([]);
  });

  it('OBS with three layers gets its largest and its smallest', () => {
    const { lines, sections } = answered(clients.obs32Simulcast, 'receive');
    expect(sections).toEqual(['audio 9 111 recvonly', 'video 9 96 recvonly']);
    expect(lines).toContain('a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id');
    expect(lines.filter((line) => /^a=(rid|simulcast)/.test(line))).toEqual([
      'a=rid:0 recv',
      'a=rid:2 recv',
      'a=simulcast:recv 0;2',
    ]);
  });

  it('GStreamer as a viewer is accepted in mode 1 and keeps its bundle, although we have none of its audio codecs', () => {
    const { sections, lines } = answered(clients.gstreamerWhep, 'send');
    expect(sections).toEqual(['audio 9 97 inactive', 'video 9 96 sendonly']);
    expect(lines).toContain('a=rtpmap:97 MPEG4-GENERIC/44100');
    expect(lines).toContain('a=group:BUNDLE audio0 video1');
    expect(lines.some((line) => line.includes('packetization-mode=1'))).toBe(true);
  });

  it('GStreamer without a bundle is accepted for video, on the transport of its video section', () => {
    const { sections, lines, offer } = answered(clients.gstreamerUnbundled, 'receive');
    expect(sections).toEqual(['audio 0 97 inactive', 'video 9 96 recvonly', 'video 0 98 inactive']);
    expect(offer.ice.ufrag).toBe('picture');
    expect(lines.some((line) => line.startsWith('a=group'))).toBe(false);
  });

  it('GStreamer as a publisher is accepted with its sound, whose section has port 0', () => {
    const { sections, negotiated } = answered(clients.gstreamerWhip, 'receive');
    expect(sections).toEqual(['video 9 96 recvonly', 'audio 9 100 recvonly']);
    expect(negotiated.video.media.parameterSets.h264).toHaveLength(2);
    const session = new SignalingSession(new NotedTransport(), parseOffer(clients.gstreamerWhip));
    expect(session.patch(session.etag, clients.gstreamerFragment)).toEqual({ restart: null });
  });

  it.each(['opus', null] as const)(
    'whepsrc gets the picture in mode 1, and sound that is there or comes later: %s',
    (codec) => {
      const { sections, lines } = answered(clients.gstreamerWhepsrc, 'send', codec);
      expect(sections).toEqual(['audio 9 96 sendonly', 'video 9 101 sendonly']);
      expect(lines).toContain('a=group:BUNDLE audio0 video1');
      expect(lines.some((line) => /^a=fmtp:101 .*packetization-mode=1/.test(line))).toBe(true);
    },
  );

  it('a player with several sections of a kind gets the first that fits, and the others are rejected', () => {
    const [head, video = '', audio = ''] = clients.safariWhep.split(/(?=m=)/);
    const other = (section: string, mid: string) => section.replace(/a=mid:\d/, `a=mid:${mid}`);
    const h265 = other(video, '3').replaceAll('H264/90000', 'H265/90000');
    const many = [head, h265, video, other(video, '4'), audio, other(audio, '5')].join('');
    const text = many.replace('BUNDLE 0 1', 'BUNDLE 3 0 4 1 5');
    const { sections } = answered(text, 'send');
    expect(sections.map((section) => section.replace(/ [\d,]+ /, ' … '))).toEqual([
      'video … 96,97,98,99,100 inactive',
      'video … 98 sendonly',
      'video … 96,97,98,99,100 inactive',
      'audio … 111 sendonly',
      'audio … 111 inactive',
    ]);
  });

  it('a camera with G.711 is accepted with its sound', () => {
    const { sections, negotiated } = answered(clients.ipCameraPcma, 'receive');
    expect(sections).toEqual(['audio 9 8 recvonly', 'video 9 96 recvonly']);
    expect(negotiated.audio?.formats[0].codec).toBe('pcma');
  });

  it.each([
    ['opus', '111'],
    ['pcma', '8'],
  ] as const)('Safari gets the sound of the feed, %s', (codec, payloadType) => {
    const { sections, lines } = answered(clients.safariWhep, 'send', codec);
    expect(sections).toEqual(['video 9 98 sendonly', `audio 9 ${payloadType} sendonly`]);
    expect(lines).toContain('a=ssrc:2 cname:c');
    expect(lines.some((line) => line.includes('rtx'))).toBe(false);
  });

  it('Safari gets every audio codec that may come later if the feed has none yet', () => {
    const { sections } = answered(clients.safariWhep, 'send', null);
    expect(sections).toEqual(['video 9 98 sendonly', 'audio 9 111,0,8 sendonly']);
  });

  it('Chromium as a viewer may send its clocks, as a publisher it need not', () => {
    const clocks = 'a=rtcp-xr:rcvr-rtt=all';
    const asViewer = clients.safariWhep.replaceAll('a=rtcp-rsize', `a=rtcp-rsize\r\n${clocks}`);
    const asPublisher = asViewer.replaceAll('a=recvonly', 'a=sendonly');
    expect(answered(asViewer, 'send').lines).toContain(clocks);
    expect(answered(asPublisher, 'receive').lines).not.toContain(clocks);
    expect(answered(clients.safariWhep, 'send').lines).not.toContain(clocks);
  });

  it('Firefox is answered in the packetization mode it names', () => {
    const { sections } = answered(clients.firefoxWhep, 'send');
    expect(sections).toEqual(['video 9 126 sendonly']);
  });

  it.each([
    ['opus', '111'],
    ['pcma', '8'],
  ] as const)(
    'MediaMTX, when it pulls, gets H.264 in the profile of the feed, and G.711 of one channel: %s',
    (codec, sound) => {
      const { sections, offer } = answered(clients.mediamtxWhep, 'send', codec);
      expect(sections).toEqual(['video 9 106 sendonly', `audio 9 ${sound} sendonly`]);
      // Those of RTCP cannot be used.
      expect(offer.candidates.filter(({ address }) => address === '192.0.2.20')).toHaveLength(1);
    },
  );

  it('go2rtc, when it pulls, gets its feedback once', () => {
    const { sections, lines } = answered(clients.go2rtcWhep, 'send');
    expect(sections).toEqual(['video 9 97 sendonly', 'audio 9 101 sendonly']);
    expect(lines.filter((line) => line.startsWith('a=rtcp-fb:97'))).toEqual([
      'a=rtcp-fb:97 nack',
      'a=rtcp-fb:97 nack pli',
      'a=rtcp-fb:97 ccm fir',
    ]);
  });

  it('aiortc is accepted at its first profile', () => {
    const { sections, offer } = answered(clients.aiortcWhip, 'receive');
    expect(sections).toEqual(['audio 9 96 recvonly', 'video 9 99,100 recvonly']);
    expect(offer.fingerprints.map(({ algorithm }) => algorithm)).toEqual(['sha-256', 'sha-384', 'sha-512']);
  });

  it('a camera with H.265 alone is accepted', () => {
    const { lines, negotiated } = answered(clients.h265Whip, 'receive');
    expect(negotiated.video.codec).toBe('h265');
    expect(lines).toContain('a=rtpmap:96 H265/90000');
    expect(lines.find((line) => line.startsWith('a=fmtp:96'))).toMatch(/profile-id=1;.*tx-mode=SRST/);
  });

  it('a browser with H.264 and H.265 publishes H.264, which every viewer plays', () => {
    const both = clients.aiortcWhip.replace('a=rtpmap:97 VP8/90000', 'a=rtpmap:97 H265/90000');
    expect(answered(both, 'receive').negotiated.video.codec).toBe('h264');
  });
});

describe('A feed in H.265', () => {
  const of = (text: string, profileId = 1) =>
    negotiateViewer(parseOffer(text), { video: { codec: 'h265', profileId }, audioCodec: null });

  it('reaches Safari unchanged', () => {
    const offer = parseOffer(clients.safariWhep);
    const negotiated = negotiateViewer(offer, { video: { codec: 'h265', profileId: 1 }, audioCodec: null });
    expect([negotiated.video.codec, negotiated.video.format.payloadType]).toEqual(['h265', 100]);
    const answer = buildAnswer(offer, negotiated, local, { kind: 'send', tracks });
    expect(answer).toContain('a=rtpmap:100 H265/90000\r\na=fmtp:100 level-id=93;profile-id=1');
    expect(answer).not.toContain('H264');
  });

  it('is reported to a browser that lacks it, with what to do', () => {
    expect(() => of(clients.firefoxWhep)).toThrow(
      'this camera sends H.265, which this browser cannot play; watch its JPEG pictures, or set the camera to H.264',
    );
    expect(() => of(clients.safariWhep, 4)).toThrow(/profile that this browser cannot play/);
  });

  it('reaches a decoder of Main 10, which includes Main, but not the other way round', () => {
    const main10 = clients.safariWhep.replace(
      'a=rtpmap:100 H265/90000',
      'a=rtpmap:100 H265/90000\r\na=fmtp:100 profile-id=2',
    );
    expect(of(main10).video.format.payloadType).toBe(100);
    expect(() => of(clients.safariWhep, 2)).toThrow('H.265');
  });
});

describe('Sound that cannot be passed on', () => {
  it('is named, with what to change', () => {
    const of = (text: string) => lostSound(parseOffer(text), negotiatePublisher(parseOffer(text)).audio);
    expect(of(clients.obs30)).toEqual([]);
    expect(of(clients.gstreamerUnbundled).join()).toContain('BUNDLE');
    const aac = clients.obs30.replace('opus/48000/2', 'MPEG4-GENERIC/44100');
    expect(of(aac).join()).toMatch(/MPEG4-GENERIC.*Opus or G\.711/);
  });
});

describe('The answer of another server', () => {
  it('may contain a host name instead of addresses', () => {
    const candidates = [
      'a=candidate:1 1 udp 2130706431 media.example.org 8189 typ host',
      'a=candidate:2 1 udp 2130706431 fd00::1 8189 typ host',
      'a=candidate:3 1 tcp 1671430143 media.example.org 8189 typ host tcptype passive',
      'a=candidate:4 1 udp 2130706431 192.0.2.9 8189 typ host',
    ].join('\r\n');
    const answer = parseAnswer(`${clients.obs30}${candidates}\r\n`);
    expect(answer.namedCandidates).toEqual([{ name: 'media.example.org', port: 8189 }]);
    expect(answer.candidates).toEqual([
      { address: 'fd00::1', port: 8189 },
      { address: '192.0.2.9', port: 8189 },
    ]);
  });
});

describe('Every answer', () => {
  it.each([
    ['to a publisher', clients.obs30, 'receive'],
    ['to a viewer', clients.safariWhep, 'send'],
  ] as const)(
    '%s has RTP and RTCP on one port alone in each section (RFC 9725, section 4.4.1)',
    (_, text, way) => {
      const { answer } = answered(text, way);
      for (const { attributes } of parseSdp(answer).media) {
        const names = attributes.map(({ name }) => name);
        expect(names).toEqual(expect.arrayContaining(['rtcp-mux', 'rtcp-mux-only']));
      }
    },
  );

  it('is a session of its own and describes its ICE mode', () => {
    const origins = Array.from({ length: 20 }, () => answered(clients.obs30, 'receive').lines[1]);
    expect(new Set(origins).size).toBe(20);
    expect(answered(clients.obs30, 'receive').lines).toContain('a=ice-options:ice2 trickle');
  });
});

describe('Parsing a description', () => {
  it('finishes within the time of a test for many of maximal length, whatever they contain', () => {
    const described = (count: number): string[] => {
      const formats = Array.from({ length: Math.min(count, 128) }, (_, i) => i).join(' ');
      const many = (line: (i: number) => string) =>
        Array.from({ length: count }, (_, i) => line(i)).join('\r\n');
      const head = `${clients.obs30}m=video 9 UDP/TLS/RTP/SAVPF ${formats}\r\na=rtcp-mux\r\n`;
      return [
        head + many((i) => `a=fmtp:${i % 128} profile-level-id=42e01f;packetization-mode=1`),
        `${head}${many((i) => `a=rtpmap:${i % 128} H264/90000`)}\r\n${many((i) => `a=fmtp:${i % 128} x=${i}`)}`,
        head + many((i) => `a=rtcp-fb:* kind-${i}`),
        head + many((i) => `a=candidate:${i} 1 udp 1 192.0.2.1 9 typ host`),
      ];
    };
    // A reader that goes over the whole for each line takes a fifth of a second for each of these, and minutes for all.
    for (const text of described(900)) {
      for (let time = 0; time < 400; time++) expect(parseOffer(text).media.length).toBeGreaterThan(0);
    }
  });

  it.each([
    ['media', Array.from({ length: 80 }, () => 'm=audio 9 UDP/TLS/RTP/SAVPF 0').join('\r\n')],
    ['formats', `m=video 9 UDP/TLS/RTP/SAVPF${' 1'.repeat(9000)}`],
  ])('ends at more %s than there can be', (_, lines) => {
    expect(() => parseOffer(`${clients.obs30}${lines}\r\n`)).toThrow(
      expect.objectContaining({ code: 'SDP_INVALID' }),
    );
  });
});
