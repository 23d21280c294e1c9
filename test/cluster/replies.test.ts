import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { memberList, memberReply, SERVES, status } from '../../src/cluster/replies.ts';

const header = { cluster_id: '1', member_id: '10501334649042878790', revision: '7' };

test('alarms are read with the IDs of their members, and with 0 where the text has none', () => {
  const errors = ['memberID:10501334649042878790 alarm:NOSPACE ', 'alarm:CORRUPT ', 'etcdserver: no leader'];
  const list = v.parse(memberList, { header, members: [] });
  const { alarms } = memberReply(list, v.parse(status, { header, errors }), SERVES);
  assert.equal(alarms, [
    { memberId: '91bc3c398fb3c146', alarm: 'NOSPACE' },
    { memberId: '0', alarm: 'CORRUPT' },
  ]);
});

test.run();
