import { RushlightError } from '../../../common/errors.ts';

/**
 * The monitoring part of chrony's command protocol, version 6 (`candm.h` of chrony; unchanged since chrony 2.2 of 2015, the
 * form that `chronyc` and its exporters speak). One UDP datagram asks, one answers; nothing here can change anything.
 */

const version = 6;
const requestType = 1;
const replyType = 2;
const trackingCommand = 33;
const trackingReply = 5;
const success = 0;
/** A request is as long as its reply, so that chronyd cannot be used to multiply traffic. */
const trackingBytes = 104;
const replyData = 28;

/** The reference id of a clock that follows only itself: 127.127.1.1. */
export const localReference = 0x7f7f0101;

/** What chronyd knows about the system clock; `chronyc tracking` shows the same. Times in seconds. */
export interface Tracking {
  readonly referenceId: number;
  /** IPv4 address as text, `null` for none or another family. */
  readonly source: string | null;
  readonly stratum: number;
  /** 3: not synchronised (RFC 5905, leap indicator). */
  readonly leap: number;
  /** What still has to be corrected: positive if the system clock is behind. */
  readonly correctionS: number;
  readonly rmsOffsetS: number;
  readonly rootDelayS: number;
  readonly rootDispersionS: number;
}

/** The reply does not answer the request. */
export class ChronyReplyError extends RushlightError {
  readonly code = 'CHRONY_REPLY';
}

/** Asks for {@link Tracking}. `sequence`: 32 bits that the reply repeats. */
export function trackingRequest(sequence: number): Buffer {
  const request = Buffer.alloc(trackingBytes);
  request.writeUInt8(version, 0);
  request.writeUInt8(requestType, 1);
  request.writeUInt16BE(trackingCommand, 4);
  request.writeUInt32BE(sequence >>> 0, 8);
  return request;
}

/** Reads the reply to {@link trackingRequest}. @throws ChronyReplyError */
export function parseTracking(reply: Buffer, sequence: number): Tracking {
  if (reply.length < replyData) throw new ChronyReplyError(`a reply of ${reply.length} bytes is too short`);
  if (reply.readUInt8(0) !== version)
    throw new ChronyReplyError(`version ${reply.readUInt8(0)} of the protocol`);
  if (reply.readUInt8(1) !== replyType || reply.readUInt16BE(4) !== trackingCommand) {
    throw new ChronyReplyError('not a reply to this command');
  }
  if (reply.readUInt32BE(16) !== sequence >>> 0) throw new ChronyReplyError('the reply to another request');
  const status = reply.readUInt16BE(8);
  if (status !== success) throw new ChronyReplyError(`refused with status ${status}`);
  if (reply.readUInt16BE(6) !== trackingReply || reply.length < trackingBytes) {
    throw new ChronyReplyError('a reply of another kind');
  }
  const ipv4 = reply.readUInt16BE(replyData + 20) === 1;
  return {
    referenceId: reply.readUInt32BE(replyData),
    source: ipv4 ? [...reply.subarray(replyData + 4, replyData + 8)].join('.') : null,
    stratum: reply.readUInt16BE(replyData + 24),
    leap: reply.readUInt16BE(replyData + 26),
    correctionS: chronyFloat(reply.readUInt32BE(replyData + 40)),
    rmsOffsetS: chronyFloat(reply.readUInt32BE(replyData + 48)),
    rootDelayS: chronyFloat(reply.readUInt32BE(replyData + 64)),
    rootDispersionS: chronyFloat(reply.readUInt32BE(replyData + 68)),
  };
}

/** chrony's own 32-bit floating point: 7 bits of exponent, 25 of coefficient, both two's complement. */
export function chronyFloat(bits: number): number {
  const exponent = (bits | 0) >> 25;
  const coefficient = (bits << 7) >> 7;
  return coefficient * 2 ** (exponent - 25);
}
