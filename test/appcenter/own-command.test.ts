import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type HookReader, hookNames, settingsOrOwn } from '../../src/appcenter/own-command.ts';
import { parseSettings, SettingsError } from '../../src/settings/parse-settings.ts';
import type { Settings } from '../../src/settings/settings-table.ts';

const settings = parseSettings(undefined, { HEAL_RESTART_CMD: '/opt/own restart' });
const reader = (changes: Partial<Settings>, view = 'MY_ROLE=etcd-node\n'): HookReader => ({
  settings: () => ({ ...settings, ...changes }),
  text: async () => view,
});
const OWN = {
  'health-check': '/opt/app/bin/ctl.sh check',
  'health-action': '/opt/own restart',
  start: '/opt/app/bin/ctl.sh start',
  stop: '/opt/app/bin/ctl.sh stop',
} as const;

const silent = () => assert.unreachable('nothing is said');

for (const hook of hookNames) {
  test(`${hook} goes by the settings on an etcd node`, async () => {
    for (const mode of ['auto', 'manual'] as const)
      assert.equal(await settingsOrOwn(hook, reader({ mode }), silent), { settings: { ...settings, mode } });
  });

  test(`${hook} is the app's own on a proxy, and with HEAL_MODE=off`, async () => {
    const own = { own: OWN[hook].split(' ') };
    assert.equal(await settingsOrOwn(hook, reader({ mode: 'off' }), silent), own);
    assert.equal(await settingsOrOwn(hook, reader({}, 'MY_ROLE=etcd-proxy\n'), silent), own);
  });

  test(`${hook} with settings that cannot be used is the app's own, and says why`, async () => {
    const settings = () => {
      throw new SettingsError('/opt/app/conf/heal-node.env cannot be read.');
    };
    let said = '';
    const result = await settingsOrOwn(hook, { ...reader({}), settings }, async (text) => {
      said += text;
    });
    const usual = hook === 'health-action' ? '/opt/app/bin/ctl.sh restart' : OWN[hook];
    assert.equal(result, { own: usual.split(' ') });
    assert.is(said, 'heal-node acts as with HEAL_MODE=off: /opt/app/conf/heal-node.env cannot be read.');
  });
}

test.run();
