import type { Member } from '../../src/cluster/cluster.ts';
import { changesUrls } from '../fake/app.ts';
import { ahead, copyOf } from '../fake/log.ts';
import type { FakeNode } from '../fake/node.ts';
import { PLACES } from '../fake/observation.ts';
import { BIRTHMARK_KEY, DATA_DIR, ETCD_RIGHTS, ROOT_FILE, WAL } from '../fake/paths.ts';
import { withKey } from '../fake/raft.ts';
import {
  badOffers,
  certificatesOf,
  type Domain,
  FIRST,
  losesVolume,
  putCertificates,
  SECOND,
} from '../fake/tls.ts';
import { breakages } from './breakages.ts';
import { count } from './counters.ts';
import { localFaults, onAgainAfter, updateMember } from './faults.ts';
import type { Sim } from './sim.ts';

const MINUTE_MS = 60_000;

interface Begun {
  /** The nodes that faults strike. */
  readonly victims: readonly FakeNode[];
  /** What a person puts right when the faults are over. */
  readonly atCalm?: () => void;
  /** Looked at ten minutes later, in place of "every node heals". */
  readonly expects?: () => void;
}

export interface Story {
  readonly what: string;
  /** In smaller clusters only people can tell what to do: without the node that is broken nobody serves. */
  readonly atLeast?: number;
  readonly weight: number;
  /** It is of a cluster in TLS mode. */
  readonly tls?: true;
  /** How many faults strike at most. */
  readonly faults: number;
  readonly begins: (sim: Sim) => Begun;
}

const minorityOf = (sim: Sim): number => Math.floor((sim.nodes.length - 1) / 2);

/** Off, broken, and on again soon or later, on its own root disk or on the image's. */
function breaks(sim: Sim, node: FakeNode, how: string): void {
  const { random, clock } = sim;
  node.powerOff();
  count('breakage', how);
  sim.tell(`${node.name} loses power, and ${how}`);
  breakages[how]?.(node);
  const migrated = random.chance(0.5);
  clock.after(random.chance(0.4) ? 1000 : random.between(1000, 2 * MINUTE_MS), () => node.powerOn(migrated));
}

/** Off, and on again with a new data disk: data, certificates and mark are gone, now and then with the root disk. */
function losesDisks(sim: Sim, node: FakeNode): void {
  const { random } = sim;
  node.powerOff();
  losesVolume(node);
  const migrated = random.chance(0.5);
  sim.tell(`${node.name} loses its volume${migrated ? ', and its root disk is the image again' : ''}`);
  onAgainAfter(sim, random.between(1000, 2 * MINUTE_MS), node, migrated);
}

/** A person removes what was added by a name that its node has no more, and has never run, as docs/runbook.md says. */
function removesUnnamed(sim: Sim): void {
  const asked = sim.nodes.find(({ etcd }) => etcd && sim.raft.serves(etcd))?.etcd;
  const isOld = ({ name, peerUrls }: Member): boolean =>
    name === '' && !peerUrls.some((url) => url.includes(sim.domain.dns));
  const old = asked?.applied.state.members.find(isOld);
  if (!asked || !old) return;
  count('event', 'a person removes an unnamed member');
  try {
    sim.raft.removeMember(asked, old.id);
  } catch {
    sim.clock.after(30_000, () => removesUnnamed(sim));
  }
}

/** What the newest action of a node must have said. */
const refused = (sim: Sim, nodes: readonly FakeNode[], says: RegExp) => (): void => {
  for (const node of nodes) {
    // What it came with may have prevailed: then it serves, and nobody has anything to refuse. Nor where somebody has
    // deleted it.
    if (sim.healthy(node) || node.data === undefined) continue;
    const said = sim.lastAction.get(node.sid) ?? 'nothing';
    sim.holds(
      'what must not heal is refused with the right reason',
      says.test(said),
      () => `${node.name}: ${said}`,
    );
  }
};

/** The data dir holds what a copy of a disk, or a person, has put there. */
const puts = (node: FakeNode, data: FakeNode['data']): void => {
  if (data) node.putData(copyOf(data));
};

/** A person has these nodes found a cluster of the same name again. */
function foundAnew(sim: Sim, nodes: readonly FakeNode[]): void {
  sim.foundedByHand = true;
  for (const node of nodes) node.powerOff();
  for (const node of nodes) {
    for (const path of [DATA_DIR, PLACES.rootDiskMark, PLACES.dataDiskMark]) node.disk.delete(path);
    node.powerOn(false);
  }
}

/** The cluster that serves gets a birthmark of its own. */
function newBirthmark(sim: Sim): void {
  const serving = sim.nodes.find(({ etcd }) => etcd && sim.raft.serves(etcd))?.etcd;
  try {
    if (serving)
      sim.raft.propose(serving, (state) =>
        withKey(state, BIRTHMARK_KEY, { value: 'c'.repeat(32), lease: '' }),
      );
  } catch {
    // It stays without one.
  }
}

/** The app gives its nodes other URLs while a minority heals. */
function switchesUrls(sim: Sim, to: Domain | undefined): Begun {
  // Without its first node the app makes no authority.
  const bad = sim.random.shuffled(sim.nodes.slice(1)).slice(0, sim.random.between(1, minorityOf(sim)));
  for (const node of bad)
    if (sim.tls && sim.random.chance(0.2)) losesDisks(sim, node);
    else breaks(sim, node, sim.random.pick(Object.keys(breakages)));
  const before = sim.nodes.map(({ sid }) => sim.url(sid, 2380));
  sim.whileHealing(bad[0] as FakeNode, sim.random.between(1, 140), () => changesUrls(sim, to));
  const isLeftOut = ({ disk, envText }: FakeNode): boolean =>
    disk.has(PLACES.copyUnitFile) && disk.text(PLACES.env) !== envText;
  const isGone = ({ data }: FakeNode): boolean => !data || sim.raft.isFounding(data.last);
  // Where TLS has gone off, and nothing else, the health action has etcd.env written anew.
  const differs = (node: FakeNode): boolean =>
    (sim.tls && JSON.stringify(certificatesOf(node)) !== JSON.stringify(sim.domain.certificates)) ||
    ((sim.tls || isGone(node) || node.shortShown) && node.disk.text(PLACES.env) !== node.envText);
  // One that the app has found off, whose disk was away then, that a person's `restore` has put back on its originals, or
  // that has lost with its root disk what says that a heal is under way: looked at each minute until its disk is back.
  const mends = (looks: number): void => {
    for (const [i, node] of sim.nodes.entries()) {
      // Whatever its settings say by now, it was started with those of before.
      if (node.etcd && (node.etcd.speaksAs !== 'http') !== sim.tls) {
        count('event', 'a person restarts etcd on its new settings');
        sim.tell(`a person restarts etcd on ${node.name}`);
        node.systemctl(['restart', node.etcd.unit]);
      }
      if (isLeftOut(node)) continue;
      if (differs(node)) {
        count('event', 'a person copies certificates');
        sim.tell(`a person copies certificates to ${node.name}`);
        if (sim.tls) putCertificates(node, sim.domain.certificates);
        node.appWrites();
        if (node.on && node.disk.kindOf(PLACES.unitFile) === 'file')
          for (const word of ['reset-failed', 'restart']) node.systemctl([word, PLACES.unit]);
      }
      const [was, url] = [before[i], sim.url(node.sid, 2380)];
      if (was !== undefined && was !== url) updateMember(sim, was, url, true);
    }
    if (looks > 1) sim.clock.after(MINUTE_MS, () => mends(looks - 1));
  };
  return {
    victims: bad,
    atCalm: () => {
      mends(10);
      removesUnnamed(sim);
    },
  };
}

export const stories: readonly Story[] = [
  {
    what: 'a minority has gone stale',
    weight: 72,
    faults: 4,
    begins: (sim) => {
      const bad = sim.random.shuffled(sim.nodes).slice(0, sim.random.between(1, minorityOf(sim)));
      for (const node of bad) breaks(sim, node, sim.random.pick(Object.keys(breakages)));
      return { victims: bad };
    },
  },
  {
    what: 'most have lost their data, and the others are off',
    weight: 5,
    faults: 1,
    begins: (sim) => {
      const all = sim.random.shuffled(sim.nodes);
      const bad = all.slice(0, minorityOf(sim) + 1);
      const off = all.slice(bad.length);
      // Those that have their data are off, or answer for a while without a quorum.
      const answers = sim.random.chance(0.3);
      for (const node of off)
        if (answers) sim.clock.after(sim.random.between(1000, 3 * MINUTE_MS), () => node.powerOff());
        else node.powerOff();
      for (const node of bad) breaks(sim, node, 'its data dir is gone');
      sim.forgetUnkept();
      sim.clock.after(8 * MINUTE_MS, () => {
        for (const node of off) node.powerOn(false);
      });
      return {
        victims: bad,
        // A gate that was killed lets etcd start; that nothing is founded is looked at all along.
        expects: () =>
          refused(
            sim,
            bad.filter((node) => node.data === undefined),
            /\(amnesia\/|\(healing\//,
          )(),
      };
    },
  },
  {
    what: 'a machine has a fault, and its data are whole',
    weight: 8,
    faults: 1,
    begins: (sim) => {
      const node = sim.random.pick(sim.nodes);
      const fault = sim.random.pick(localFaults);
      node.powerOff();
      sim.clock.after(1000, () => {
        node.powerOn(false);
        count('fault', fault.what);
        sim.tell(`${node.name}: ${fault.what}`);
        fault.strikes(sim, node);
      });
      return { victims: [node] };
    },
  },
  {
    what: 'its disk is a copy of that of another, which serves',
    atLeast: 5,
    weight: 3,
    faults: 2,
    begins: (sim) => {
      const [node, other] = sim.random.shuffled(sim.nodes) as [FakeNode, FakeNode];
      node.powerOff();
      puts(node, other.data);
      node.powerOn(false);
      return { victims: [node] };
    },
  },
  {
    what: 'its disk is a copy of that of another, which is off',
    atLeast: 5,
    weight: 2,
    faults: 1,
    begins: (sim) => {
      const [node, other] = sim.random.shuffled(sim.nodes) as [FakeNode, FakeNode];
      node.powerOff();
      other.powerOff();
      puts(node, other.data);
      node.powerOn(false);
      return { victims: [node] };
    },
  },
  {
    what: 'a clone of a lost member runs without a gate',
    atLeast: 5,
    weight: 2,
    faults: 1,
    begins: (sim) => {
      const [node, other] = sim.random.shuffled(sim.nodes) as [FakeNode, FakeNode];
      for (const each of [node, other]) each.powerOff();
      puts(node, other.data);
      other.disk.delete(DATA_DIR);
      node.gated = false;
      node.powerOn(false);
      sim.clock.after(sim.random.between(1000, MINUTE_MS), () => other.powerOn(false));
      return {
        victims: [other],
        atCalm: () => {
          node.gated = true;
          node.powerOff();
        },
      };
    },
  },
  {
    what: 'the data are of another cluster',
    weight: 2,
    faults: 1,
    begins: (sim) => {
      const node = sim.random.pick(sim.nodes);
      node.powerOff();
      const { data } = node;
      if (data) node.putData(copyOf(data, { clusterId: 'abad1dea', memberId: 'abad1dea' }));
      node.powerOn(false);
      return {
        victims: [node],
        expects: refused(sim, [node], /\(local-fault\/other-cluster\)|\(healing\//),
      };
    },
  },
  {
    what: 'the others have been founded anew by hand',
    weight: 3,
    faults: 1,
    begins: (sim) => {
      const [node, ...others] = sim.random.shuffled(sim.nodes) as [FakeNode, ...FakeNode[]];
      node.powerOff();
      foundAnew(sim, others);
      sim.clock.after(sim.random.between(MINUTE_MS, 2 * MINUTE_MS), () => node.powerOn(false));
      // Now and then somebody had begun to heal it by hand.
      const env = node.disk.entries.get(PLACES.env);
      if (env && sim.random.chance(0.4)) node.disk.set(PLACES.copyEnv, env);
      sim.forgetUnkept();
      if (sim.random.chance(0.5)) sim.clock.after(MINUTE_MS / 2, () => newBirthmark(sim));
      const own = node.data?.memberId ?? '';
      // Founders whose IDs the old history has removed are ended by it: nobody serves then, and what is said is that.
      const says = sim.healedBefore.length === 0 ? /\(amnesia\/|\(healing\// : /./;
      return {
        victims: [node],
        expects: () => {
          refused(sim, [node], says)();
          sim.holds(
            'what must not heal is refused with the right reason',
            node.data?.memberId === own,
            () => `${node.name} has lost the data that it came with`,
          );
        },
      };
    },
  },
  {
    what: 'the others have been founded anew by hand, and a person gives up what this node has',
    weight: 2,
    faults: 0,
    begins: (sim) => {
      const [node, ...others] = sim.random.shuffled(sim.nodes) as [FakeNode, ...FakeNode[]];
      // Founders whose IDs the old history has removed are ended by it.
      if (sim.healedBefore.length > 0) return { victims: [node] };
      foundAnew(sim, others);
      node.powerOff();
      const { data } = node;
      if (data) node.putData(ahead(data, 1000));
      const commit = `${node.data?.committed.index}`;
      node.disk.set(PLACES.adopted, {
        text: JSON.stringify({ memberId: data?.memberId, commit }),
        rights: ROOT_FILE,
      });
      for (const path of [PLACES.rootDiskMark, PLACES.dataDiskMark])
        node.disk.set(path, { text: 'has been a member\n', rights: ROOT_FILE });
      sim.forgetUnkept();
      sim.clock.after(2 * MINUTE_MS, () => node.powerOn(false));
      return { victims: [node] };
    },
  },
  {
    what: 'in TLS mode, a minority has lost its volume with all certificates',
    tls: true,
    weight: 3,
    faults: 3,
    begins: (sim) => {
      const bad = sim.random.shuffled(sim.nodes).slice(0, sim.random.between(1, minorityOf(sim)));
      for (const node of bad) losesDisks(sim, node);
      return { victims: bad };
    },
  },
  ...(
    [
      ['in TLS mode, the app gives its nodes other names, and a new authority', 4, SECOND, { tls: true }],
      ['in TLS mode, the app switches TLS off', 2, undefined, { tls: true }],
      ['the app switches TLS on', 3, FIRST, {}],
    ] as const
  ).map(
    ([what, weight, to, mode]): Story => ({
      what: `${what}, while a minority heals`,
      ...mode,
      weight,
      faults: 2,
      begins: (sim) => switchesUrls(sim, to),
    }),
  ),
  {
    what: 'in TLS mode, a node has lost its volume, and the others offer nothing that can be used',
    tls: true,
    weight: 2,
    faults: 1,
    begins: (sim) => {
      const [node, ...others] = sim.random.shuffled(sim.nodes) as [FakeNode, ...FakeNode[]];
      losesDisks(sim, node);
      for (const other of others) {
        other.offers = sim.random.pick(Object.values(badOffers))[0];
        other.ssh = sim.random.chance(0.8);
      }
      return {
        victims: [node],
        atCalm: () => {
          for (const other of others) Object.assign(other, { offers: undefined, ssh: true });
        },
      };
    },
  },
  {
    what: 'its data differ from those of the others',
    weight: 3,
    faults: 1,
    begins: (sim) => {
      const node = sim.random.pick(sim.nodes);
      sim.deepCheckMs = 2 * MINUTE_MS;
      if (sim.random.chance(0.5)) sim.settings = { ...sim.settings, onDivergence: 'heal' };
      node.disk.set(WAL, {
        rights: ETCD_RIGHTS,
        data: Object.assign(node.data ?? {}, { taint: 'x' }) as never,
      });
      return {
        victims: [node],
        atCalm: () => {
          // Where it is only reported it stays so.
          if (sim.settings.onDivergence !== 'heal' && node.data) node.data.taint = '';
        },
      };
    },
  },
];
