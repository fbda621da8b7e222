export { PictureError, type PictureErrorCode } from './errors.ts';
export { inspectJpeg, type JpegInfo } from './jpeg.ts';
export { withHuffmanTables } from './jpeg-tables.ts';
export { MjpegPull, type MjpegPullState, type MjpegTarget } from './mjpeg-pull.ts';
export { PictureDecoder } from './picture-decoder.ts';
export { PictureIntake } from './picture-intake.ts';
