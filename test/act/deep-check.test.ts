import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deepCheck } from '../../src/act/deep-check.ts';
import { healRecordFile, newRecord } from '../../src/state/heal-record.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

const LIMIT_MS = 777;

/** A check of a member that serves on its originals, while the journal of its heal is not closed. */
function unfinished(late: boolean) {
  const fake = new ThreeMembers('none');
  const requests: (string | undefined)[] = [];
  const found = fake.run(async (world) => {
    await healRecordFile.write(world.machine, PLACES.journal, newRecord(0, 'operator', 'stale/removed'));
    // Nothing but the limit of the check runs out.
    const sleep = (ms: number) =>
      late && ms === LIMIT_MS ? Promise.resolve() : new Promise<void>(() => undefined);
    // The service that would answer the request is not there.
    const systemctl = async () => void requests.push(fake.node.disk.entries.get(PLACES.request)?.text);
    const machine = { ...world.machine, sleep, systemctl };
    const said = await deepCheck({ ...world, machine }, fake.settings, silent, LIMIT_MS);
    // What is left of it, if anything, goes on.
    await world.machine.sleep(60_000);
    return said;
  });
  return { found, asked: fake.node.disk.entries.has(PLACES.request), requests };
}

test('an unfinished heal of a member that serves is taken up', () => {
  const { found, asked, requests } = unfinished(false);
  assert.match(found.message, /It is taken up again/);
  assert.ok(asked);
  assert.is(requests.length, 1, 'the service is started, once the request is there');
  assert.ok(requests[0]);
});

test('a check that is late asks for nothing any more: its process may end before the service is started', () => {
  const { found, asked, requests } = unfinished(true);
  assert.match(found.message, /not done within 777 ms/);
  assert.not(asked);
  assert.equal(requests, []);
});

test.run();
