// The container's health check: whether the appliance in it answers.
const { readFile } = await import('node:fs/promises');
const url = (await readFile(`${process.env.RUSHLIGHT_DATA}/run/api-url`, 'utf8')).trim();
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // its own certificate, on loopback
const { status } = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(5000) });
process.exitCode = status === 200 ? 0 : 1;
