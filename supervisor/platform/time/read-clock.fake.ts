import { ChronyClock } from './clock.ts';

/** Run inside a namespace of a test: prints one reading. */
console.log(JSON.stringify(await new ChronyClock().read()));
