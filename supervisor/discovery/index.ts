/** What hub and camera share: mDNS, addresses, pinned certificates. */

export { adoptionCode, commitmentOf } from './adoption-code.ts';
export { Advertiser, type AdvertiserOptions } from './advertiser.ts';
export { openBonjour } from './bonjour.ts';
export type { HubEndpoint } from './hub-endpoint.ts';
export { followLinks } from './link-addresses.ts';
export type { Sighting } from './mdns-packet.ts';
export { NameWatch } from './name-watch.ts';
export {
  fingerprintToPin,
  PinMismatchError,
  type PinnedTls,
  pinTls,
  serverCertificate,
} from './pinned-tls.ts';
export { type FoundService, ServiceBrowser } from './service-browser.ts';
export { answersPing } from './socket-life.ts';
