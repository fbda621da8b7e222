/** The HTTP server, the rule of who may call what, and its errors. */

export { isLoopback } from './access/access-rule.ts';
export type { ApiErrorCode } from './api-error.ts';
export { statusOfCode } from './problem-of.ts';
export { ApiServer } from './server.ts';
