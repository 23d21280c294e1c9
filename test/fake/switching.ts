/** Stories in which the app gives its nodes other URLs while a heal is under way on member 2. */
import { healthAction } from '../../src/act/health-action.ts';
import { noLog } from '../../src/report/log.ts';
import type { HealRecord } from '../../src/state/heal-record.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import { changesUrls } from './app.ts';
import { PLACES } from './observation.ts';
import { ROOT_FILE } from './paths.ts';
import { ThreeMembers } from './three-members.ts';
import { certificatesOf, FIRST, SECOND } from './tls.ts';

export const domains = { off: undefined, first: FIRST, second: SECOND } as const;
export type Urls = keyof typeof domains;

export function make(broken: 'none' | 'WAL gone', from: Urls): ThreeMembers {
  const fake = new ThreeMembers(broken, {}, 3, from !== 'off');
  // confd renders the view of a node that was off when it comes up.
  for (const node of fake.nodes) {
    const powerOn = node.powerOn.bind(node);
    node.powerOn = (migrated) => {
      node.disk.set(PLACES.appEnv, { text: node.appView(), rights: ROOT_FILE });
      powerOn(migrated);
    };
  }
  return fake;
}

/** AppCenter calls the action each minute until all is well. Returns what it said last. */
export function actions(fake: ThreeMembers, minutes: number): string {
  let said = '';
  for (let minute = 0; minute < minutes; minute++) {
    fake.pass(60_000);
    if (fake.healthy(fake.node) && !fake.file(PLACES.journal)) break;
    fake.spawn(fake.node, 'action', 60_000, async (world) => {
      said = (await healthAction(world, fake.settings, noLog)).message;
    });
  }
  fake.pass(60_000);
  return said;
}

/** What is not as it should be at the end. */
export function wrong(fake: ThreeMembers): string[] {
  const { node } = fake;
  const own = fake.listed.filter(({ name }) => name === 'etcd2');
  const isListed = own.length === 1 && own[0]?.id === node.data?.memberId;
  const left = fake.files().filter(([path]) => /etcd1\.|originals/.test(path));
  const certificates = JSON.stringify(certificatesOf(node));
  const asIs = {
    'it runs on another unit': fake.running === PLACES.unit,
    'it does not serve': fake.healthy(node),
    'it has other certificates': !fake.tls || certificates === JSON.stringify(fake.domain.certificates),
    'its etcd.env is old': node.disk.text(PLACES.env) === node.envText,
    'it is not listed once': isListed && fake.listed.length === 3,
    'it is listed by another URL': own[0]?.peerUrls.join() === fake.url(2, 2380),
    'something is left': left.length === 0,
  };
  return Object.entries(asIs).flatMap(([what, isWell]) => (isWell ? [] : [what]));
}

/** confd has rendered other URLs, and no node has been given them yet. */
export function renders(fake: ThreeMembers, to: Urls, nodes = fake.nodes): void {
  const before = { tls: fake.tls, domain: fake.domain };
  Object.assign(fake, { tls: to !== 'off', domain: domains[to] ?? fake.domain });
  for (const node of nodes) node.disk.set(PLACES.appEnv, { text: node.appView(), rights: ROOT_FILE });
  if (nodes !== fake.nodes) Object.assign(fake, before);
}

/** Does something right before the n-th effect of a heal. */
export function before(fake: ThreeMembers, nth: number, act: () => void): void {
  let effects = 0;
  fake.node.onEffect = (what, when) => {
    if (what !== HEAL_UNIT || when !== 'before' || ++effects !== nth) return;
    fake.node.onEffect = () => undefined;
    act();
  };
}
export const backOn = (fake: ThreeMembers, offMs: number, migrated: boolean): void => {
  fake.node.powerOff();
  fake.clock.after(offMs, () => {
    fake.node.powerOn(migrated);
    return true;
  });
};
export const journalOf = (fake: ThreeMembers): HealRecord | undefined => {
  const text = fake.node.disk.text(PLACES.journal);
  return text === undefined ? undefined : JSON.parse(text);
};
export const newMember = (fake: ThreeMembers): string => journalOf(fake)?.newMemberId ?? '';
export const begin = (fake: ThreeMembers): void => {
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  fake.node.systemctl(['start', HEAL_UNIT]);
};

export const changes: readonly (readonly [Urls, Urls])[] = [
  ['off', 'first'],
  ['first', 'off'],
  ['first', 'second'],
];

/** A heal that is stopped when the old member is out and no new one is in, as the app switches TLS off. */
export function stoppedAsTlsGoesOff(): ThreeMembers {
  const fake = make('WAL gone', 'first');
  fake.once(
    () => fake.removed.length > 0,
    () => {
      changesUrls(fake, undefined);
      fake.clock.after(1, () => {
        fake.node.systemctl(['stop', HEAL_UNIT]);
        return true;
      });
    },
  );
  begin(fake);
  fake.pass(60_000);
  return fake;
}
