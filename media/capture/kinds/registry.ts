/** Every kind of source, by its name in the settings. A further kind is a folder beside this file and a line here. */
export { kind as file } from './file/index.ts';
export { kind as rpicam } from './rpicam/index.ts';
export { kind as rtsp } from './rtsp/index.ts';
export { kind as test } from './test/index.ts';
export { kind as v4l2 } from './v4l2/index.ts';
