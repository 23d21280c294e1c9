import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { busyVerbs, ownHooks } from '../../src/appcenter/busy-verbs.ts';
import { APP_CTL, APP_CTL_ORIGINAL, hookOfVerb } from '../../src/appcenter/ctl.ts';

test('called as ctl.sh, heal-node is the hooks of four verbs, and the app’s own script for all else', () => {
  const hooks = ['check', 'restart', 'start', 'stop'].map((verb) => hookOfVerb([verb]));
  assert.equal(hooks, ['health-check', 'health-action', 'start', 'stop']);
  for (const words of [[], ['backup'], ['check', '10.0.0.1'], ['constructor'], ['hook', 'start'], ['']])
    assert.is(hookOfVerb(words), 'ctl.sh', words.join(' '));
});

test('what heal-node, or the app below it, calls as ctl.sh is the app’s', () => {
  process.env.CTL_SH_APP = '1';
  assert.is(hookOfVerb(['start']), 'ctl.sh');
  delete process.env.CTL_SH_APP;
});

test('a hook that is called as ctl.sh is no verb of the app; what it calls is', () => {
  const hook = [APP_CTL, 'restart'];
  assert.equal(busyVerbs([hook, ['timeout', '60', ...hook]]), [], 'nor who has called it');
  assert.equal(busyVerbs([hook, ['bash', APP_CTL_ORIGINAL, 'restart']]), [`${APP_CTL} restart`]);
  assert.equal(busyVerbs([['bash', APP_CTL, 'restart']]), [`${APP_CTL} restart`]);
  assert.equal(ownHooks([hook, [APP_CTL, 'start'], ['/opt/heal-node/bin/stop']]), [
    `${APP_CTL} start`,
    '/opt/heal-node/bin/stop',
  ]);
});

test('whoever calls the app’s script from its own directory runs its verbs as well', () => {
  assert.equal(busyVerbs([['bash', './ctl.sh', 'repair']]), [`${APP_CTL} repair`]);
  assert.equal(busyVerbs([['sh', 'ctl.sh.app', 'restore']]), [`${APP_CTL} restore`]);
  assert.equal(busyVerbs([['bash', '/srv/backup/ctl.sh', 'restore']]), [], 'another script of that name');
});

test.run();
