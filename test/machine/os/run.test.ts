import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { run } from '../../../src/machine/os/run.ts';

test('what cannot be run at all is told, not thrown', async () => {
  for (const program of ['/etc/hostname', '/etc', '/etc/hostname/no', '/no/such', '']) {
    const { failure, stdout } = await run([program], { timeoutMs: 5000 });
    assert.is(stdout, '');
    assert.ok(failure?.includes(program), `${program}: ${failure}`);
  }
});

test.run();
