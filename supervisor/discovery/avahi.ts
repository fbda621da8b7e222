import { access, rm } from 'node:fs/promises';
import { writeFileAtomic } from '../../common/files.ts';
import { encodeTxt, type ServiceTxt, serviceType } from './service-txt.ts';

/** Where the image lets us put a service file, and the socket of a running avahi-daemon. */
export interface AvahiPaths {
  readonly socket: string;
  readonly serviceFile: string;
}

/** The paths on the image. */
export const avahiPaths: AvahiPaths = {
  socket: '/run/avahi-daemon/socket',
  serviceFile: '/etc/avahi/services/rushlight.service',
};

/** Whether avahi-daemon runs. */
export async function avahiRuns(paths: AvahiPaths): Promise<boolean> {
  return await access(paths.socket).then(
    () => true,
    () => false,
  );
}

/**
 * The avahi.service(5) file of an appliance. avahi watches its folder: it announces a file that appears, announces
 * changes, and says goodbye for one that disappears.
 */
export function avahiServiceFile(name: string, port: number, txt: ServiceTxt): string {
  const records = Object.entries(encodeTxt(txt)).map(
    ([key, value]) => `    <txt-record>${escapeXml(`${key}=${value}`)}</txt-record>`,
  );
  return [
    '<?xml version="1.0" standalone="no"?>',
    '<!DOCTYPE service-group SYSTEM "avahi-service.dtd">',
    '<service-group>',
    `  <name>${escapeXml(name)}</name>`,
    '  <service>',
    `    <type>_${serviceType}._tcp</type>`,
    `    <port>${port}</port>`,
    ...records,
    '  </service>',
    '</service-group>',
    '',
  ].join('\n');
}

/**
 * Puts the file in place in one step, readable by everyone no matter the umask: avahi runs as another user. Rejects with the
 * system's error if the folder cannot be written.
 */
export async function writeServiceFile(path: string, content: string): Promise<void> {
  await writeFileAtomic(path, content, { mode: 0o644, durable: false });
}

/** Removes the file, which makes avahi say goodbye. An absent file is no error. */
export async function removeServiceFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
