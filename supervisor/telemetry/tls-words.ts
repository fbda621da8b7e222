import { describeError, errorCode } from '../../common/errors.ts';

const clientCertificate = 'set mqtt.cert_file and mqtt.key_file';
const refusedCertificate =
  'the broker does not accept the client certificate; check mqtt.cert_file, and whether it has expired';
const strangeAuthority =
  "the authority behind the broker's certificate is not known here; name its certificate in mqtt.ca_file";
const notPem = 'mqtt.ca_file, mqtt.cert_file or mqtt.key_file is not a certificate or key in PEM form';

/** By the code of Node.js' error: its meaning, and what to do. */
const words: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: `the broker wants a client certificate; ${clientCertificate}`,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: `the broker refused TLS; if it requires a client certificate, ${clientCertificate}`,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: refusedCertificate,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: refusedCertificate,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: refusedCertificate,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: refusedCertificate,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: refusedCertificate,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the broker supports no safe version of TLS; update it',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'the broker does not speak TLS on this port; use mqtt:// in mqtt.url, or the port of TLS, which is mostly 8883',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the broker does not speak TLS on this port; use mqtt:// in mqtt.url',
  DEPTH_ZERO_SELF_SIGNED_CERT: strangeAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: strangeAuthority,
  UNABLE_TO_GET_ISSUER_CERT: strangeAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: strangeAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: strangeAuthority,
  ERR_TLS_CERT_ALTNAME_INVALID:
    "the broker's certificate is for another host name; use a name from the certificate in mqtt.url",
  CERT_HAS_EXPIRED: "the broker's certificate has expired, or this machine's clock is wrong",
  CERT_NOT_YET_VALID: "the broker's certificate is not valid yet, or this machine's clock is wrong",
  ERR_OSSL_PEM_NO_START_LINE: notPem,
  ERR_OSSL_PEM_BAD_BASE64_DECODE: notPem,
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'mqtt.key_file is not the key of the certificate in mqtt.cert_file',
  ECONNREFUSED: 'nothing answers there: the broker does not run, or listens on another port',
  ENOTFOUND: 'no machine of that name is known on the network; check mqtt.url',
  EAI_AGAIN: 'the name cannot be looked up: the network has no name service now',
  EHOSTUNREACH: 'the machine cannot be reached on this network',
  ENETUNREACH: 'this machine is not on a network that leads there',
  ETIMEDOUT: 'the machine does not answer',
  ECONNRESET: 'the broker ended the connection',
};

/** Why there is no connection to a broker, in words for its owner: the library's own only if we have none. */
export function connectionWords(error: unknown): string {
  const known = words[codeOf(error) ?? ''];
  if (known === undefined) return describeError(error);
  return error instanceof Error && error.cause !== undefined ? `${error.message}: ${known}` : known;
}

/** The first code along the causes that we have words for. */
function codeOf(error: unknown): string | undefined {
  const code = errorCode(error);
  if (code !== undefined && Object.hasOwn(words, code)) return code;
  return error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : undefined;
}
