/** What is known about the machine and the camera when the live encoder is chosen. */
export interface EncoderFacts {
  /** The camera delivers H.264 itself. */
  readonly cameraSendsH264: boolean;
  /** A V4L2 memory-to-memory H.264 encoder was found (bcm2835-codec: Zero 2 W, 3, 4), by its device node. */
  readonly hardwareEncoder?: string;
  readonly width: number;
  readonly height: number;
}

export interface EncoderChoice {
  readonly encoder: 'copy' | 'h264_v4l2m2m' | 'libx264';
  /** One sentence for people. */
  readonly reason: string;
}

/** The bcm2835 encoder block takes pictures up to this size. */
const hardwareMaxWidth = 1920;
const hardwareMaxHeight = 1088;

/** Chooses how the live stream becomes H.264. Pure. */
export function chooseEncoder(facts: EncoderFacts): EncoderChoice {
  if (facts.cameraSendsH264) {
    return { encoder: 'copy', reason: 'The camera sends H.264 itself, so it is passed on untouched.' };
  }
  if (facts.hardwareEncoder === undefined) {
    return {
      encoder: 'libx264',
      reason: 'This machine has no hardware H.264 encoder, so libx264 encodes for low latency.',
    };
  }
  if (facts.width > hardwareMaxWidth || facts.height > hardwareMaxHeight) {
    return {
      encoder: 'libx264',
      reason: `${facts.width}x${facts.height} exceeds the hardware encoder's ${hardwareMaxWidth}x${hardwareMaxHeight}, so libx264 encodes.`,
    };
  }
  return {
    encoder: 'h264_v4l2m2m',
    reason: `The hardware encoder at ${facts.hardwareEncoder} takes this size.`,
  };
}
