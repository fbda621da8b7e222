export * from './build-capture.ts';
export * from './encoder-choice.ts';
export * from './errors.ts';
export * from './faults.ts';
export * from './raw-pipe.ts';
export * from './source-handler.ts';
export * from './strip.ts';
export * from './types.ts';
