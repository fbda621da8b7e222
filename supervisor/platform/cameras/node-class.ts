/** What a video node is for, as far as its driver says. */
export type NodeClass =
  /** A camera of its own: ask it for formats and controls. */
  | 'camera'
  /** The raw receiver of a camera module: pictures come through libcamera. */
  | 'sensor-receiver'
  /** Not a camera: codec, image signal processor, statistics. */
  | 'helper';

/** Codecs and image signal processors of Raspberry Pi boards, and Linux' test codecs. */
const helperDrivers = new Set([
  'bcm2835-codec',
  'bcm2835-isp',
  'pispbe',
  'pisp_be',
  'rpivid',
  'rpi-hevc-dec',
  'hevc_dec',
  'hantro-vpu',
  'vicodec',
  'vim2m',
]);

/** CSI-2 receivers: bcm2835-unicam up to the Pi 4, rp1-cfe on the Pi 5. */
const receiverDrivers = new Set(['unicam', 'bcm2835-unicam', 'rp1-cfe', 'rp1_cfe']);

/** Classifies a node by its driver and its name. */
export function classifyNode(driver: string, name: string): NodeClass {
  if (helperDrivers.has(driver) || /^(bcm2835-(codec|isp)|pispbe-|rpivid|rpi-hevc-dec)/.test(name))
    return 'helper';
  if (receiverDrivers.has(driver) || /^(unicam|rp1-cfe)-/.test(name)) {
    // One node of the receiver carries the picture; the others are statistics, embedded data and configuration.
    return /^(unicam-image|rp1-cfe-csi2_ch0)$/.test(name) ? 'sensor-receiver' : 'helper';
  }
  return 'camera';
}
