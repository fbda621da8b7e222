import assert from 'node:assert/strict';
import { cardConfig } from '../lib/config.ts';
import type { TestCase } from '../lib/test-case.ts';

const passPhrase = 'correct horse battery';
const passwordHash = '$5$abcdefgh$ijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNO';

/** Tests of the first start. */
export const provisioningTests: readonly TestCase[] = [
  {
    name: 'what Imager left is applied, and its secrets are removed',
    selection: 'ci',
    needs: 'provisioning',
    timeoutMs: 120_000,
    async run({ rig, note, ready, api }) {
      const userData = (await rig.storage.readCard('user-data')) ?? '';
      await rig.storage.writeCard(
        'user-data',
        `${userData}hostname: stage-left\ntimezone: Europe/Berlin\nusers:\n  - name: alice\n    passwd: "${passwordHash}"\n`,
      );
      await rig.storage.writeCard(
        'network-config',
        `version: 2\nwifis:\n  wlan0:\n    regulatory-domain: DE\n    access-points:\n      "Studio 1":\n        password: "${passPhrase}"\n`,
      );
      // Without a name in the settings, so that Imager's counts.
      await rig.storage.writeCard('rushlight.toml', cardConfig({ role: 'hub' }).replace(/^name = .*\n/m, ''));
      await rig.power.on();
      note(`ready after ${(await ready()).toFixed(0)} s from power on, formatting included`);
      const facts = await rig.network.shell(
        'cat /proc/sys/kernel/hostname; date +%Z; id -un alice; cat /run/rushlight-wifi/station.conf; stat -c %a /data/system/provision/settings.json',
      );
      assert.match(facts, /^stage-left$/m);
      assert.match(facts, /^CES?T$/m);
      assert.match(facts, /country=DE/);
      assert.ok(facts.includes(`psk="${passPhrase}"`), 'the Wi-Fi key was taken over');
      assert.match(facts, /^600$/m);
      const card = await rig.network.shell('sync; cat /boot/rushlight/*');
      assert.ok(!card.includes(passPhrase), 'the Wi-Fi key is gone from the card');
      assert.ok(!card.includes(passwordHash), 'the password is gone from the card');
      const passwords = await rig.network.shell(
        'cut -d: -f2 /etc/shadow | sort -u; sshd -T | grep -i -E "^(passwordauth|kbdinter)"',
      );
      assert.match(passwords, /passwordauthentication no/);
      assert.ok(!/^\$/m.test(passwords), 'no account has a password');
      const status = await api.call('readyz');
      assert.equal(status.status, 200);
      await rig.network.shell('rm -f /boot/rushlight/network-config; sync -f /boot/rushlight');
    },
  },
];
