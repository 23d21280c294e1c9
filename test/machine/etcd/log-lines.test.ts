import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { linesSince, plainLine } from '../../../src/machine/etcd/log-lines.ts';

const ZAP =
  '{"level":"panic","ts":"2026-11-23T19:03:43.010Z","caller":"backend/backend.go:162","msg":"failed to open database","path":"/a/snap/db","error":"invalid database"}';

test('a zap line becomes its message and its fields, without what says nothing', () => {
  assert.is(plainLine(ZAP), 'failed to open database path=/a/snap/db error=invalid database');
});

test('a line of the other format, or that is only like JSON, stays as it is', () => {
  assert.is(plainLine('etcdmain: walpb: crc mismatch'), 'etcdmain: walpb: crc mismatch');
  assert.is(plainLine('{"msg":"torn'), '{"msg":"torn');
});

test('of a log file only what was written since the start counts', () => {
  const early = ZAP.replace('19:03', '18:00');
  const text = `${early}\npanic: of the run before\n${ZAP}\npanic: failed to open database\n`;
  assert.equal(linesSince(text, Date.parse('2026-11-23T19:00:00Z')), [ZAP, 'panic: failed to open database']);
  assert.equal(linesSince(text, Date.parse('2026-11-23T20:00:00Z')), []);
});

test.run();
