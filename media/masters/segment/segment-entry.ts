import { type CameraRecord, type Segment, unknownSegment } from '../take/manifest.ts';
import type { Take } from '../take/take.ts';
import type { ClosedSegment } from './segment-close.ts';

/** Enters the result of a segment; one without a frame, and without a file that may contain some, is forgotten. */
export function withClosed(record: CameraRecord, number: number, closed: ClosedSegment): CameraRecord {
  const others = record.segments.filter((segment) => segment.number !== number);
  const segments = closed.segment === undefined ? others : [...others, closed.segment];
  const aside = closed.unreadable === undefined ? [] : [closed.unreadable];
  return {
    ...record,
    segments: segments.toSorted((a, b) => a.number - b.number),
    unreadable: [...record.unreadable, ...aside],
  };
}

/** The entry of a segment that begins. */
export function newSegment(take: Take, camera: string, number: number, record: CameraRecord): Segment {
  const files = take.files(camera, number);
  const relative = (path: string) => path.slice(take.folder.length + 1);
  return {
    ...unknownSegment,
    number,
    state: 'recording',
    file: relative(files.master),
    spool: record.strategy === 'spool' ? relative(files.spool) : null,
    framemd5: { file: relative(files.reference), sha256: null },
  };
}
