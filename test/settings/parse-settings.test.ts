import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings, SettingsError, usableSettings } from '../../src/settings/parse-settings.ts';
import texts from '../../src/settings/setting-texts.json';
import { settingsTable } from '../../src/settings/settings-table.ts';

test('without a file and an environment the defaults hold, and every default is allowed', () => {
  const settings = parseSettings(undefined, {});
  assert.is(settings.mode, 'auto');
  assert.is(settings.checkTimeoutMs, 3000);
  assert.equal(settings.restartCmd, ['/opt/app/bin/ctl.sh', 'restart']);
  assert.equal(Object.keys(settings).sort(), Object.keys(settingsTable).sort());
  assert.not(Object.values(settings).includes(undefined as never));
});

test('every setting has its sentence, and there are no others', () => {
  assert.equal(
    Object.values(settingsTable).map(({ key }) => key),
    Object.keys(texts),
  );
});

test('the environment wins over the file, and other keys are nobody’s business', () => {
  const file = '# a comment\nHEAL_MODE=manual\nHEAL_MAX_PER_DAY="5"\nPATH=/x\n';
  const settings = parseSettings(file, { HEAL_MODE: 'off', LANG: 'C' });
  assert.is(settings.mode, 'off');
  assert.is(settings.maxPerDay, 5);
});

const bad: readonly (readonly [text: string, says: RegExp])[] = [
  ['HEAL_MODE=of', /heal-node\.env: HEAL_MODE=of is not allowed; allowed is auto, manual, off/],
  ['HEAL_MOOD=auto', /heal-node\.env: HEAL_MOOD=auto is not a setting/],
  ['HEAL_ETCD_PASSWORD=hunter2', /HEAL_ETCD_PASSWORD=… is not a setting/],
  ['HEAL_CHECK_TIMEOUT=3', /HEAL_CHECK_TIMEOUT=3 is not allowed; allowed is a duration/],
  ['HEAL_CHECK_TIMEOUT=0s', /allowed is a duration/],
  ['HEAL_CHECK_TIMEOUT=25h', /allowed is a duration/],
  ['HEAL_MAX_PER_DAY=-1', /allowed is a whole number from 0 to 100/],
  ['HEAL_MAX_PER_DAY=1e1', /allowed is a whole number/],
  ['HEAL_ETCD_ENV=etcd.env', /allowed is an absolute path/],
  ['HEAL_ETCD_ENV=/opt/../etc/shadow', /allowed is an absolute path/],
  ['HEAL_RESTART_CMD=/bin/sh -c reboot;halt', /no shell, no quotes/],
  ['HEAL_RESTART_CMD=ctl.sh restart', /an absolute path of a program/],
  ['HEAL_ETCD_UNIT=../etcd.service', /the name of a systemd service unit/],
  ['HEAL_ETCD_USER=root:secret', /no colon/],
];

for (const [text, says] of bad) {
  test(`refused: ${text}`, () => {
    assert.throws(
      () => parseSettings(text, {}),
      (error: Error) => error instanceof SettingsError && says.test(error.message),
    );
  });
}

test('the gate goes by what can be used', () => {
  const settings = usableSettings('HEAL_MOOD=auto\nHEAL_LANG=klingon\nHEAL_ETCD_ENV=/etc/etcd.env\n');
  assert.equal([settings.mode, settings.language, settings.etcdEnv], ['auto', 'auto', '/etc/etcd.env']);
  assert.is(usableSettings('HEAL_MODE=off\nHEAL_MAX_PER_DAY=many\n').mode, 'off');
});

test('a bad value in the environment names the environment', () => {
  assert.throws(
    () => parseSettings(undefined, { HEAL_MODE: '' }),
    /the environment: HEAL_MODE= is not allowed/,
  );
});

test.run();
