const removed = 'removed-after-import';

/** `key: value` and `key = value` lines whose value is a secret, in YAML, TOML and wpa_supplicant's format. */
const secretLine =
  /^(\s*-?\s*["']?(?:passwd|hashed_passwd|plain_text_passwd|password|psk|wpa_psk|sae_password)["']?\s*[:=]\s*).*$/gim;

/** The same inside braces, as YAML and TOML write a table on one line. */
const secretInBraces =
  /([{,]\s*["']?(?:passwd|hashed_passwd|plain_text_passwd|password|psk|wpa_psk|sae_password)["']?\s*[:=]\s*)(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^,}\n"']+)/gi;

/** The shell calls of firstrun.sh that contain one. */
const secretCall = /^(.*\b(?:set_wlan|userconf|chpasswd|set_user_password)\b).*$/gm;

/** An encrypted password anywhere. */
const cryptHash = /\$(?:5|6|y|2[aby]|7)\$[./A-Za-z0-9$=,]{8,}/g;

/**
 * The text without its secrets: passwords, their hashes, pre-shared keys. Unchanged if there are none, so that a second run
 * changes nothing. `known` are secrets that the importer found; they are removed everywhere.
 */
export function redact(text: string, known: readonly string[]): string {
  let clean = text
    .replace(secretLine, `$1${removed}`)
    .replace(secretInBraces, `$1${removed}`)
    .replace(secretCall, `$1 ${removed}`)
    .replace(cryptHash, removed);
  for (const secret of known) {
    if (secret.length >= 8) clean = clean.replaceAll(secret, removed);
  }
  return clean;
}

/** userconf.txt without anything after the name. */
export function redactAccount(text: string): string {
  return text.replace(/^([^:\r\n]*):.+$/gm, '$1:');
}

/** Whether a value read from a file is the mark of an earlier redaction. */
export function isRedacted(value: string | undefined): boolean {
  return value?.replaceAll(/^["']|["']$/g, '') === removed;
}
