import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { compareData } from '../../src/cluster/compare-data.ts';

const MEMBERS = [
  { endpoint: 'a', revision: 9n },
  { endpoint: 'b', revision: 7n },
  { endpoint: 'c', revision: 8n },
];

/** A cluster whose members' data hash so. */
const cluster = (hashKv: Cluster['hashKv']): Cluster => ({ hashKv }) as Cluster;

test('the hashes of all are taken at the revision that the one furthest behind has', async () => {
  let asked = 0n;
  const found = await compareData(
    cluster(async (endpoints, revision) => {
      asked = revision;
      return endpoints.map((endpoint) => ({ endpoint, hash: `hash of ${endpoint}`, compactRevision: '3' }));
    }),
    MEMBERS,
  );
  assert.is(asked, 7n);
  assert.equal(found, {
    revision: 7n,
    hashes: new Map([
      ['a', 'hash of a'],
      ['b', 'hash of b'],
      ['c', 'hash of c'],
    ]),
  });
});

test('at different compactions, or without an answer, they are not compared, and the reason is told', async () => {
  const compacted = cluster(async (endpoints) =>
    endpoints.map((endpoint, at) => ({ endpoint, hash: '1', compactRevision: `${at}` })),
  );
  assert.is(await compareData(compacted, MEMBERS), 'their compactions differ');
  const silent = cluster(async () => {
    throw new Error('b does not answer');
  });
  assert.is(await compareData(silent, MEMBERS), 'b does not answer');
});

test.run();
