/** What talks to a broker. It is apart from `index.ts`, because the root loads it only if a broker is named. */

export { findBrokersByMdns } from './broker-mdns.ts';
export { Telemetry } from './telemetry.ts';
