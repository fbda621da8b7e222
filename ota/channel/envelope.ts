import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { OtaError } from '../errors.ts';

/** Type of a channel envelope's payload; signed along, so that nothing else can be passed off as one. */
const CHANNEL_PAYLOAD_TYPE = 'application/vnd.rushlight.channel+json';

/** A DSSE envelope (Dead Simple Signing Envelope, protocol v1): payload and Ed25519 signatures in one file. */
const envelopeSchema = z.object({
  payloadType: z.string(),
  payload: z.base64(),
  signatures: z
    .array(z.object({ keyid: z.string().optional(), sig: z.base64() }))
    .min(1)
    .max(16),
});

/** DSSE's pre-authentication encoding: the bytes that are really signed. */
function preAuthEncoding(type: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** The public keys of a PEM text; there may be several while keys are being rotated. */
export function publicKeysOf(pem: string): KeyObject[] {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g) ?? [];
  return blocks.map((block) => createPublicKey(block));
}

/**
 * The payload of an envelope that one of the keys signed.
 * @throws {OtaError} `CHANNEL_INVALID` if it is no envelope, `CHANNEL_SIGNATURE` if none of our keys signed it.
 */
export function openEnvelope(text: string, keys: readonly KeyObject[]): Buffer {
  let envelope: z.infer<typeof envelopeSchema>;
  try {
    envelope = envelopeSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new OtaError('CHANNEL_INVALID', 'the channel is not a signed envelope', { cause });
  }
  if (envelope.payloadType !== CHANNEL_PAYLOAD_TYPE) {
    throw new OtaError('CHANNEL_INVALID', `the channel holds ${envelope.payloadType.slice(0, 80)}`);
  }
  const payload = Buffer.from(envelope.payload, 'base64');
  const signed = preAuthEncoding(envelope.payloadType, payload);
  const good = envelope.signatures.some(({ sig }) =>
    keys.some((key) => verify(null, signed, key, Buffer.from(sig, 'base64'))),
  );
  if (!good)
    throw new OtaError('CHANNEL_SIGNATURE', 'the channel is not signed by a key this machine trusts');
  return payload;
}

/** Signs a payload for publishing. */
export function sealEnvelope(payload: Buffer, privateKeyPem: string): string {
  const key = createPrivateKey(privateKeyPem);
  const sig = sign(null, preAuthEncoding(CHANNEL_PAYLOAD_TYPE, payload), key).toString('base64');
  const envelope = {
    payloadType: CHANNEL_PAYLOAD_TYPE,
    payload: payload.toString('base64'),
    signatures: [{ sig }],
  };
  return `${JSON.stringify(envelope, null, 2)}\n`;
}
