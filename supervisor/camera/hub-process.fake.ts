/** Answers with 200 by TLS, in a network namespace: `--port <port>`. Prints its certificate's fingerprint. */
import { createServer } from 'node:https';
import { parseArgs } from 'node:util';
import { fakeIdentity } from '../discovery/tls-identity.fake.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '8443' } } });
const identity = fakeIdentity('hub');
const server = createServer(identity, (_request, response) => response.end());
server.listen(Number(values.port), () => process.stdout.write(`${identity.fingerprint}\n`));
