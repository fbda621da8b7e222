export { PictureError, type PictureErrorCode } from './errors.ts';
export { inspectJpeg } from './jpeg.ts';
export { withHuffmanTables } from './jpeg-tables.ts';
export { MjpegPull, type MjpegPullState } from './mjpeg-pull.ts';
export { PictureDecoder } from './picture-decoder.ts';
export { PictureIntake } from './picture-intake.ts';
