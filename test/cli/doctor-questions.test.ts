import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { doctorQuestions, peaceGuards, peacetime } from '../../src/cli/doctor-questions.ts';
import { situationOf } from '../../src/diagnose/situation.ts';
import { observe } from '../../src/observe/observe.ts';
import { guards } from '../../src/plan/guards.ts';
import { deepCheckFile, notCompared } from '../../src/state/deep-check-file.ts';
import { findingOf } from '../../src/words/words.ts';
import { PLACES, settings } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';
import { ofOtherAuthority } from '../fake/tls.ts';

type Peacetime = Parameters<(typeof doctorQuestions)[string]>[0];

const fake = new ThreeMembers('none');
const bare = fake.run(async (world) => situationOf(await observe(world), PLACES));
const unit = { ...bare.unit, dropIns: ['/etc/systemd/system/etcd.service.d/10-heal-node-gate.conf'] };
const situation = { ...bare, unit } as typeof bare;
const well: Peacetime = {
  situation,
  settings,
  parked: false,
  unfinished: false,
  notLaid: [],
  endsSoon: [],
  checkedAgoMs: 240_000,
};

const finds = (p: Peacetime) =>
  Object.fromEntries(
    Object.entries(doctorQuestions).flatMap(([id, finds]) => {
      const finding = findingOf(id, finds(p));
      return finding === null ? [] : [[id, finding]];
    }),
  );

test('nothing is found where all is well', () => {
  assert.equal(finds(well), {});
});

test('a check that may not compare has looked all the same, whenever the last comparison was', () => {
  const { checkedAgoMs } = fake.run(async (world) => {
    await deepCheckFile.write(world.machine, PLACES.deepCheck, notCompared('not compared', 1));
    return peacetime({ settings, world, situation: bare });
  });
  assert.ok(checkedAgoMs < 1000, `${checkedAgoMs} ms`);
});

const [one, two] = situation.cluster.serving;
if (!one || !two) throw new Error('the others do not serve');
const late = { ...one, reply: { ...one.reply, clockSkewMs: -4000 } };

const spoilt: readonly (readonly [id: string, Partial<Peacetime>, RegExp])[] = [
  [
    'installed',
    { notLaid: ['/usr/local/bin/heal-node'] },
    /\/usr\/local\/bin\/heal-node.*`heal-node install`/,
  ],
  ['gate', { situation: bare }, /10-heal-node-gate\.conf.*daemon-reload/],
  ['checked', { checkedAgoMs: 7_200_000 }, /last 15 minutes while this member was healthy.*cluster\.json/],
  ['checked', { checkedAgoMs: Number.POSITIVE_INFINITY }, /cluster\.json/],
  ['mode', { settings: { ...settings, mode: 'manual' } }, /HEAL_MODE is manual; set it to auto/],
  ['not-stopped', { parked: true }, /next start takes that back/],
  ['unfinished', { unfinished: true }, /`heal-node resume` or `heal-node restore`/],
  ['unfinished', { situation: { ...situation, swapped: true } }, /heal-node status/],
  ['certificate-dates', { endsSoon: ['ETCD_CERT_FILE has expired'] }, /ETCD_CERT_FILE.*renew/],
  [
    'clock',
    { situation: { ...situation, cluster: { ...situation.cluster, serving: [late, two] } } },
    / \(-4 s\); look/,
  ],
  [
    'members',
    {
      situation: {
        ...situation,
        cluster: { ...situation.cluster, serving: [one], silent: [{ endpoint: 'http://x', why: 'refused' }] },
      },
    },
    /http:\/\/x \(refused\); failure tolerance 0/,
  ],
  ['members', { situation: { ...situation, servesAsOwn: false } }, /heal-node diagnose/],
];
for (const [id, change, says] of spoilt)
  test(`${id}: ${says.source}`, () => {
    const found = finds({ ...well, ...change });
    assert.equal(Object.keys(found), [id]);
    assert.match(String(found[id]), says);
  });

test('each question has its spoilt case, and an ID of its own beside the guards', () => {
  const questions = Object.keys(doctorQuestions);
  assert.equal(questions, [...new Set(spoilt.map(([id]) => id))]);
  const ids = [...questions, ...Object.keys(guards)];
  assert.is(new Set(ids).size, ids.length);
  assert.ok(peaceGuards.every((id) => id in guards));
});

test("a client's certificate that is not good any more is found, too", () => {
  const tls = new ThreeMembers('none', {}, 3, true);
  tls.putFile('/var/lib/etcd/ssl/etcd/client.pem', ofOtherAuthority.client ?? '');
  const { endsSoon } = tls.run(async (world) =>
    peacetime({ settings, world, situation: situationOf(await observe(world), PLACES) }),
  );
  assert.ok(
    endsSoon.some((text) => text.startsWith('client ')),
    endsSoon.join(),
  );
});

test.run();
