/**
 * The only file that knows werift. It uses DTLS 1.2 and not its ICE, SDP, RTCP and SRTP. werift checks neither the peer's
 * handshake signature nor the authenticity of alerts: both are done here, on internal fields of werift that contract tests
 * watch.
 */
import { createVerify, hash, X509Certificate } from 'node:crypto';
import {
  createSelfSignedCertificate,
  DtlsClient,
  DtlsServer,
  HashAlgorithm,
  NamedCurveAlgorithm,
  ProtectionProfileAeadAes128Gcm,
  ProtectionProfileAes128CmHmacSha1_80,
  SignatureAlgorithm,
} from 'werift';
import type { DtlsFingerprint } from '../datapath.ts';
import { DtlsError } from '../errors.ts';
import type { SrtpMasterKey, SrtpProfile } from '../srtp/srtp-keys.ts';
import {
  epochOf,
  HandshakeType,
  messageOf,
  RecordType,
  splitMessages,
  splitRecords,
} from './dtls-records.ts';
import { HandshakeOrder } from './handshake-order.ts';

type WeriftDtls = DtlsServer | DtlsClient;
type WeriftCertificate = Awaited<ReturnType<typeof createSelfSignedCertificate>>;

/** Our certificate and its key. */
export interface DtlsCertificate {
  readonly fingerprint: DtlsFingerprint;
  readonly material: WeriftCertificate;
}

/** Keys of both directions. */
export interface DtlsKeys {
  readonly local: SrtpMasterKey;
  readonly remote: SrtpMasterKey;
}

/** What an endpoint needs. */
export interface DtlsEndpointOptions {
  readonly role: 'client' | 'server';
  readonly certificate: DtlsCertificate;
  /** The peer's certificate must have one of these. */
  readonly fingerprints: readonly DtlsFingerprint[];
  /** The SRTP profile to choose if the peer offers it; otherwise the other one. Default: GCM. */
  readonly preferred?: SrtpProfile;
  readonly send: (datagram: Buffer) => void;
  readonly onConnected: (keys: DtlsKeys) => void;
  readonly onFailed: (error: DtlsError) => void;
  /** The peer said goodbye (authenticated close_notify or fatal alert). */
  readonly onClosed: () => void;
}

/** After every flight: ends werift's retransmission. */
const FLIGHT_OVER = 99;

/** Profiles in our order of preference: GCM is shorter, and faster on most processors. */
const profiles: readonly { id: 1 | 7; name: SrtpProfile; keyBytes: number; saltBytes: number }[] = [
  { id: ProtectionProfileAeadAes128Gcm, name: 'aead-aes-128-gcm', keyBytes: 16, saltBytes: 12 },
  { id: ProtectionProfileAes128CmHmacSha1_80, name: 'aes-128-cm-hmac-sha1-80', keyBytes: 16, saltBytes: 14 },
];

function inOrder(preferred?: SrtpProfile): typeof profiles {
  return profiles.toSorted((a, b) => Number(b.name === preferred) - Number(a.name === preferred));
}

/** A fresh self-signed P-256 certificate. */
export async function createDtlsCertificate(): Promise<DtlsCertificate> {
  const material = await createSelfSignedCertificate(
    { signature: SignatureAlgorithm.ecdsa_3, hash: HashAlgorithm.sha256_4 },
    NamedCurveAlgorithm.secp256r1_23,
  );
  const der = new X509Certificate(material.certPem).raw;
  return { fingerprint: { algorithm: 'sha-256', value: fingerprintOf(der, 'sha-256') ?? '' }, material };
}

/** One DTLS endpoint. */
export class DtlsEndpoint {
  readonly #options: DtlsEndpointOptions;
  #dtls: WeriftDtls | null = null;
  readonly #order = new HandshakeOrder();
  /** A server can accept "finished" only after everything that it covers. */
  #awaitsFinished: boolean;
  #state: 'new' | 'handshake' | 'connected' | 'over' = 'new';

  constructor(options: DtlsEndpointOptions) {
    this.#options = options;
    this.#awaitsFinished = options.role === 'client';
  }

  /** Begins: a client says hello, a server waits for one. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'handshake';
    const { role, certificate, send } = this.#options;
    const transport = {
      type: 'udp',
      address: { address: '0.0.0.0', port: 0, family: 'IPv4' },
      closed: false,
      onData: () => {},
      send: async (datagram: Buffer) => send(datagram),
      close: async () => {},
    };
    const options = {
      transport,
      cert: certificate.material.certPem,
      key: certificate.material.keyPem,
      signatureHash: certificate.material.signatureHash,
      srtpProfiles: inOrder(this.#options.preferred).map((profile) => profile.id),
      extendedMasterSecret: true,
      // A server asks for the client's certificate. A client must not wait to be asked: some servers (ffmpeg) never do.
      certificateRequest: role === 'server',
    };
    const dtls = role === 'server' ? new DtlsServer(options) : new DtlsClient(options);
    this.#dtls = dtls;
    dtls.onConnect.once(() => this.#connected(dtls));
    dtls.onError.subscribe((error) => this.#fail('DTLS handshake failed', error));
    if (dtls instanceof DtlsClient) {
      dtls.connect().catch((error: unknown) => this.#fail('DTLS handshake failed', error));
    }
  }

  /** Takes a DTLS datagram of the peer. */
  receive(datagram: Buffer): void {
    for (const record of splitRecords(datagram)) this.#receiveRecord(record);
  }

  /** Sends a close alert if the peer can receive it, and ends every retransmission. Idempotent. */
  close(): void {
    const dtls = this.#dtls;
    if (this.#state === 'connected' && dtls !== null) this.#options.send(closeNotify(dtls));
    this.#end();
  }

  #receiveRecord(record: Buffer): void {
    const dtls = this.#dtls;
    if (dtls === null || this.#state === 'over') return;
    const type = record.readUInt8(0);
    const plain = epochOf(record) === 0;
    if (type === RecordType.ALERT) {
      if (this.#state === 'connected' && !plain) this.#receiveAlert(dtls, record);
    } else if (type === RecordType.HANDSHAKE && plain) {
      for (const message of splitMessages(record)) this.#receiveMessage(dtls, message);
    } else if (type === RecordType.HANDSHAKE || type === RecordType.CHANGE_CIPHER_SPEC) {
      if (this.#awaitsFinished) feed(dtls, record);
    }
  }

  /**
   * Each message once and in order. Repeats are passed on only if they make werift repeat its own last flight: the first hello
   * until the second one is there, and the server's "done".
   */
  #receiveMessage(dtls: WeriftDtls, message: Buffer): void {
    if (this.#state === 'connected') return;
    const { type, sequence } = messageOf(message);
    const ready = this.#order.take(message);
    for (const next of ready) {
      if (messageOf(next).type === HandshakeType.CERTIFICATE_VERIFY) this.#awaitsFinished = true;
      feed(dtls, next);
    }
    if (ready.length > 0 || sequence !== this.#order.next - 1) return;
    const firstHello = type === HandshakeType.CLIENT_HELLO && sequence === 0;
    if (firstHello || type === HandshakeType.SERVER_HELLO_DONE) feed(dtls, message);
  }

  #connected(dtls: WeriftDtls): void {
    if (this.#state !== 'handshake') return;
    try {
      verifyFingerprint(dtls.remoteCertificate, this.#options.fingerprints);
      verifyHandshakeSignature(dtls, this.#options.role);
      const keys = exportKeys(dtls);
      this.#state = 'connected';
      this.#options.onConnected(keys);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : 'DTLS handshake failed', error);
    }
  }

  #receiveAlert(dtls: WeriftDtls, datagram: Buffer): void {
    try {
      dtls.cipher.decryptPacket(recordOf(datagram));
    } catch {
      // Not authentic: anyone can send an alert.
      return;
    }
    this.#end();
    this.#options.onClosed();
  }

  #fail(message: string, cause: unknown): void {
    if (this.#state !== 'handshake') return;
    this.#end();
    this.#options.onFailed(new DtlsError(message, { cause }));
  }

  #end(): void {
    this.#state = 'over';
    if (this.#dtls === null) return;
    this.#dtls.dtls.flight = FLIGHT_OVER;
    this.#dtls.transport.socket.onData = () => {};
  }
}

function feed(dtls: WeriftDtls, record: Buffer): void {
  try {
    dtls.transport.socket.onData(record, ['0.0.0.0', 0]);
  } catch {
    // A malformed record: the peer retransmits, and a forged one must not end the handshake.
  }
}

function exportKeys(dtls: WeriftDtls): DtlsKeys {
  const profile = profiles.find((candidate) => candidate.id === dtls.srtp.srtpProfile);
  if (profile === undefined) throw new DtlsError('the peer offers no SRTP profile that we know');
  const keys = dtls.extractSessionKeys(profile.keyBytes, profile.saltBytes);
  return {
    local: { profile: profile.name, key: Buffer.from(keys.localKey), salt: Buffer.from(keys.localSalt) },
    remote: { profile: profile.name, key: Buffer.from(keys.remoteKey), salt: Buffer.from(keys.remoteSalt) },
  };
}

function fingerprintOf(der: Buffer, algorithm: string): string | null {
  const name = /^sha-(256|384|512)$/.exec(algorithm)?.[1];
  if (name === undefined) return null;
  const digest = hash(`sha${name}`, der, 'hex').toUpperCase();
  return digest.match(/../g)?.join(':') ?? null;
}

function verifyFingerprint(der: Buffer | undefined, expected: readonly DtlsFingerprint[]): void {
  if (der === undefined) throw new DtlsError('the peer sent no certificate');
  const fits = expected.some(
    (fingerprint) => fingerprintOf(der, fingerprint.algorithm) === fingerprint.value,
  );
  if (!fits) throw new DtlsError('the certificate of the peer is not the one its SDP names');
}

/**
 * Proves that the peer holds the certificate's key: a client signs the handshake so far (CertificateVerify, RFC 5246
 * section 7.4.8), a server its key exchange (RFC 8422 section 5.4).
 */
function verifyHandshakeSignature(dtls: WeriftDtls, ourRole: 'client' | 'server'): void {
  const wanted = ourRole === 'server' ? HandshakeType.CERTIFICATE_VERIFY : HandshakeType.SERVER_KEY_EXCHANGE;
  const messages = dtls.dtls.sortedHandshakeCache;
  const at = messages.findIndex((message) => message.msg_type === wanted);
  const message = messages[at];
  if (message === undefined) throw new DtlsError('the peer did not sign the handshake');
  const body = message.fragment;
  const parametersBytes = ourRole === 'server' ? 0 : 4 + body.readUInt8(3);
  const scheme = body.readUInt16BE(parametersBytes);
  const signature = body.subarray(
    parametersBytes + 4,
    parametersBytes + 4 + body.readUInt16BE(parametersBytes + 2),
  );
  const signed =
    ourRole === 'server'
      ? Buffer.concat(messages.slice(0, at).map((earlier) => earlier.serialize()))
      : Buffer.concat([
          randomOf(dtls.cipher.localRandom),
          randomOf(dtls.cipher.remoteRandom),
          body.subarray(0, parametersBytes),
        ]);
  const digest = { 4: 'sha256', 5: 'sha384', 6: 'sha512', 2: 'sha1' }[scheme >> 8];
  const certificate = dtls.remoteCertificate;
  if (digest === undefined || certificate === undefined)
    throw new DtlsError('unknown signature scheme of the peer');
  const key = new X509Certificate(certificate).publicKey;
  if (!createVerify(digest).update(signed).verify(key, signature)) {
    throw new DtlsError('the peer does not hold the key of its certificate');
  }
}

function randomOf(random: { serialize(): Buffer }): Buffer {
  return random.serialize();
}

function recordOf(datagram: Buffer): Parameters<WeriftDtls['cipher']['decryptPacket']>[0] {
  const length = datagram.readUInt16BE(11);
  return {
    recordLayerHeader: {
      contentType: datagram.readUInt8(0),
      protocolVersion: { major: datagram.readUInt8(1), minor: datagram.readUInt8(2) },
      epoch: datagram.readUInt16BE(3),
      sequenceNumber: datagram.readUIntBE(5, 6),
      contentLen: length,
    },
    fragment: datagram.subarray(13, 13 + length),
  } as Parameters<WeriftDtls['cipher']['decryptPacket']>[0];
}

function closeNotify(dtls: WeriftDtls): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt8(RecordType.ALERT, 0);
  header.writeUInt16BE(0xfefd, 1);
  header.writeUInt16BE(1, 3);
  header.writeUIntBE(++dtls.dtls.recordSequenceNumber, 5, 6);
  header.writeUInt16BE(2, 11);
  const packet = dtls.cipher.encryptPacket(recordOf(Buffer.concat([header, Buffer.from([1, 0])])));
  header.writeUInt16BE(packet.fragment.length, 11);
  return Buffer.concat([header, packet.fragment]);
}
