/** Looks for brokers like an appliance, for tests in network namespaces: prints what it found as one line of JSON. */
import { findBrokersByMdns } from './broker-mdns.ts';

const found = await findBrokersByMdns(AbortSignal.timeout(20_000));
process.stdout.write(`${JSON.stringify(found)}\n`);
