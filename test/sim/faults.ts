import { requestHeal } from '../../src/act/ask-for-heal.ts';
import { restoreByHand } from '../../src/act/restore-by-hand.ts';
import { start, stop } from '../../src/act/start-stop.ts';
import { pauseNode } from '../../src/state/pause.ts';
import { HEAL_UNIT } from '../../src/state/places.ts';
import { runVerb, type Verb } from '../fake/app.ts';
import type { Entry } from '../fake/disk.ts';
import { memberId } from '../fake/ids.ts';
import type { Ailing, FakeNode } from '../fake/node.ts';
import { PLACES } from '../fake/observation.ts';
import { DATA_DIR, ROOT_FILE, WAL_DIR } from '../fake/paths.ts';
import { Proc } from '../fake/process.ts';
import type { Sim } from './sim.ts';

const MINUTE_MS = 60_000;

export interface Fault {
  readonly what: string;
  readonly weight: number;
  readonly strikes: (sim: Sim, node: FakeNode) => unknown;
}

const file = (text: string) => ({ text, rights: { mode: 0o600, uid: 0, gid: 0 } });

/** What a person types is held to strict reconfiguration: where etcd takes more, it is heal-node that must not ask for it. */
const person = (sim: Sim, node: FakeNode, what: string, call: () => void): void => {
  const { lax } = sim.raft;
  sim.raft.lax = false;
  try {
    if (node.on) call();
    sim.tell(`a person has typed ${what} for ${node.name}`);
  } catch (error) {
    sim.tell(`a person typed ${what} for ${node.name}: ${(error as Error).message}`);
  } finally {
    sim.raft.lax = lax;
  }
};

const another = (sim: Sim, node: FakeNode): FakeNode =>
  sim.random.pick(sim.nodes.filter((each) => each !== node));

/** Something that begins now and ends after a while. */
const forAWhile = (
  most: number,
  begins: (sim: Sim, node: FakeNode) => undefined | (() => void),
  afterCalm = true,
): Fault['strikes'] => {
  return (sim, node) => {
    const ends = begins(sim, node);
    if (ends)
      sim.clock.after(sim.random.between(1000, most), () => {
        // In the calm people have put right what is theirs, and putting it back would undo that.
        if (!sim.isCalm || afterCalm) ends();
      });
  };
};

/** The member that the cluster has listed for a node, by its URL, as those that serve say now. */
const listedFor = (sim: Sim, node: FakeNode) => {
  const asked = sim.nodes.find(({ etcd }) => etcd && sim.raft.serves(etcd))?.etcd;
  const url = sim.url(node.sid, 2380);
  return { asked, own: asked?.applied.state.members.find(({ peerUrls }) => peerUrls.includes(url)) };
};

/**
 * On again after `ms`, on its own root disk or on the image's. Where a person has removed the member, and its data disk is
 * lost too, nothing but the root disk tells that it has been one: without that it is for a person to add it again, as
 * docs/failures.md says, and no story of a heal.
 */
export const onAgainAfter = (sim: Sim, ms: number, node: FakeNode, migrated: boolean): void => {
  sim.clock.after(ms, () => {
    const { asked, own } = listedFor(sim, node);
    const tells = [PLACES.dataDiskMark, PLACES.journal].some((path) => node.disk.has(path));
    const isForgotten = asked !== undefined && own === undefined && !tells;
    node.powerOn(migrated && !isForgotten);
  });
};

const powerLost = (sim: Sim, node: FakeNode, migrated: boolean): void => {
  node.powerOff();
  onAgainAfter(sim, sim.random.between(1, 40_000), node, migrated);
};

const ails = <K extends keyof Ailing>(key: K, value: Ailing[K], most = 3 * MINUTE_MS): Fault['strikes'] =>
  forAWhile(most, (_, node) => {
    node.ailing[key] = value;
    return () => {
      node.ailing[key] = (typeof value === 'boolean' ? false : 'no') as Ailing[K];
    };
  });

/** Some file is not what it was, until the app writes it anew or somebody puts it back. */
const fileIs = (path: string, text: (is: string) => string | undefined): Fault['strikes'] =>
  forAWhile(
    2 * MINUTE_MS,
    (_, { disk }) => {
      const was = disk.entries.get(path);
      if (was?.text === undefined) return undefined;
      const changed = text(was.text);
      const is = changed === undefined ? undefined : { ...was, text: changed };
      if (is === undefined) disk.delete(path);
      else disk.set(path, is);
      return () => {
        // Whoever has written it anew has put it right.
        if (disk.entries.get(path) === is) disk.set(path, was);
      };
    },
    false,
  );

const kindIs = (path: string, kind: 'mask' | 'mount point'): Fault['strikes'] =>
  forAWhile(2 * MINUTE_MS, (sim, { disk }) => {
    const was = disk.entries.get(path);
    if (was === undefined) return undefined;
    // A link or a mount: no text of the file is written that a power loss could tear.
    const changed = { ...was, kind };
    disk.entries.set(path, changed);
    const ends = (tries: number) => (): void => {
      // Wherever it has been moved to meanwhile; later, where its disk is away just now. A mount may have been given to
      // somebody meanwhile, and only faults mount something.
      const isMount = (entry: Entry): boolean => kind === 'mount point' && entry.kind === kind;
      const now = [...disk.entries].filter(([, entry]) => entry === changed || isMount(entry));
      for (const [at, { kind: _, ...entry }] of now)
        disk.entries.set(at, was.kind === undefined ? entry : { ...entry, kind: was.kind });
      if (now.length === 0 && tries > 0) sim.clock.after(MINUTE_MS, ends(tries - 1));
    };
    return ends(10);
  });

/** `member update` of the member that is listed by one peer URL, to another; later, where it cannot be done now and has to be. */
export const updateMember = (sim: Sim, from: string, to: string, again: boolean): void => {
  const asked = sim.nodes.find(({ etcd }) => etcd && sim.raft.serves(etcd))?.etcd;
  let isDone = false;
  try {
    if (asked)
      sim.raft.propose(asked, (state) => ({
        ...state,
        members: state.members.map((member) =>
          member.peerUrls.includes(from) ? { ...member, peerUrls: [to] } : member,
        ),
      }));
    isDone = asked !== undefined;
  } catch {
    // Not now.
  }
  if (!isDone && again) sim.clock.after(30_000, () => updateMember(sim, from, to, again));
};

/** A verb of the app, by AppCenter, confd or a person. */
const verb = (sim: Sim, node: FakeNode, name: Verb): void => {
  if (node.on) runVerb(node, name).then((code) => sim.tell(`${node.name} ctl.sh ${name} ends with ${code}`));
};

const ofProcesses: readonly Fault[] = [
  {
    what: 'the healer is killed',
    weight: 6,
    strikes: (_, node) => node.on && node.systemctl(['kill', HEAL_UNIT]),
  },
  {
    what: 'every process of ours is killed',
    weight: 2,
    strikes: (_, node) => {
      if (node.on) node.systemctl(['kill', HEAL_UNIT]);
      node.killProcs();
    },
  },
  {
    what: 'systemd does not answer for a while',
    weight: 2,
    strikes: (sim, node) => {
      node.systemd.hangsUntilMs = sim.clock.nowMs + sim.random.between(1000, 40_000);
    },
  },
  {
    what: 'its etcd stands still',
    weight: 1,
    strikes: (sim, node) => {
      if (node.etcd) node.etcd.hung = true;
      sim.raft.touch(500);
    },
  },
  {
    what: "another's etcd stands still for a while",
    weight: 2,
    strikes: forAWhile(MINUTE_MS, (sim, node) => {
      const { etcd } = another(sim, node);
      if (!etcd) return undefined;
      etcd.hung = true;
      sim.raft.touch(500);
      return () => {
        etcd.hung = false;
        sim.raft.touch(100);
      };
    }),
  },
  {
    what: 'another applies late',
    weight: 4,
    strikes: (sim, node) => another(sim, node).etcd?.lag(sim.random.between(1000, 20_000)),
  },
];

const ofPower: readonly Fault[] = [
  { what: 'its power is lost', weight: 5, strikes: (sim, node) => powerLost(sim, node, false) },
  {
    what: 'it is migrated: its root disk is the image again',
    weight: 5,
    strikes: (sim, node) => powerLost(sim, node, true),
  },
  {
    what: 'another node is off for a while',
    weight: 4,
    strikes: forAWhile(3 * MINUTE_MS, (sim, node) => {
      const other = another(sim, node);
      other.powerOff();
      return () => other.powerOn(false);
    }),
  },
  {
    what: 'its clock jumps',
    weight: 1,
    strikes: (sim, node) => {
      node.clockOffMs += sim.random.pick([-2 * 86_400_000, -30_000, 30_000, 3_600_000]);
    },
  },
  {
    what: 'its power is lost, and its clock is set when it has been up for a while',
    weight: 3,
    strikes: (sim, node) => {
      node.powerOff();
      sim.clock.after(sim.random.between(1, 40_000), () => {
        node.clockOffMs = sim.random.pick([-8 * 3_600_000, 8 * 3_600_000]);
        node.powerOn(false);
        sim.clock.after(sim.random.between(1000, 60_000), () => {
          node.clockOffMs = 0;
        });
      });
    },
  },
];

const ofNetwork: readonly Fault[] = [
  {
    what: 'its cable is cut for a while',
    weight: 2,
    strikes: forAWhile(MINUTE_MS, (sim, node) => {
      sim.network.cable(node, false);
      return () => sim.network.cable(node, true);
    }),
  },
  {
    what: 'it and another cannot reach each other for a while',
    weight: 2,
    strikes: forAWhile(2 * MINUTE_MS, (sim, node) => {
      const other = another(sim, node);
      const both = [
        [node, other],
        [other, node],
      ] as const;
      for (const [a, b] of both) sim.network.cut(a, b);
      return () => {
        for (const [a, b] of both) sim.network.mend(a, b);
      };
    }),
  },
  {
    what: 'two others cannot reach each other for a while',
    weight: 2,
    strikes: forAWhile(2 * MINUTE_MS, (sim, node) => {
      const [a, b] = sim.random.shuffled(sim.nodes.filter((each) => each !== node));
      if (!a || !b) return undefined;
      sim.network.cut(a, b);
      sim.network.cut(b, a);
      return () => {
        sim.network.mend(a, b);
        sim.network.mend(b, a);
      };
    }),
  },
  {
    what: 'one way between two nodes is cut for a while',
    weight: 2,
    strikes: forAWhile(2 * MINUTE_MS, (sim) => {
      const [a, b] = sim.random.shuffled(sim.nodes);
      if (!a || !b) return undefined;
      sim.network.cut(a, b);
      return () => sim.network.mend(a, b);
    }),
  },
  {
    what: 'replies are lost',
    weight: 3,
    strikes: ({ faults }) => Object.assign(faults, { lostReplies: 0.3 }),
  },
  { what: 'reads are lost', weight: 2, strikes: ({ faults }) => Object.assign(faults, { lostReads: 0.1 }) },
  {
    what: 'credentials are asked for, for a while',
    weight: 1,
    strikes: forAWhile(MINUTE_MS, ({ faults: each }) => {
      each.credentials = true;
      return () => {
        each.credentials = false;
      };
    }),
  },
  { what: 'answers are slow', weight: 2, strikes: ({ faults }) => Object.assign(faults, { slow: 0.05 }) },
];

const ofThisMachine: readonly Fault[] = [
  { what: 'its root disk is full for a while', weight: 2, strikes: ails('root', 'full', 5 * MINUTE_MS) },
  { what: 'its data disk is full for a while', weight: 2, strikes: ails('data', 'full', 5 * MINUTE_MS) },
  { what: 'its root disk is read-only for a while', weight: 1, strikes: ails('root', 'read-only') },
  { what: 'its data disk is read-only for a while', weight: 1, strikes: ails('data', 'read-only') },
  { what: 'another process has its port for a while', weight: 1, strikes: ails('port', true) },
  { what: 'its address is gone for a while', weight: 1, strikes: ails('address', true) },
  { what: "etcd's program is missing for a while", weight: 1, strikes: ails('binary', true) },
  { what: 'it lacks memory for a while', weight: 1, strikes: ails('memory', true) },
  { what: 'its etcd is an older one for a while', weight: 1, strikes: ails('tooOld', true) },
  {
    what: 'its data disk is not mounted for a while',
    weight: 1,
    strikes: forAWhile(3 * MINUTE_MS, (_, node) => {
      const cycle = (mounted: boolean): void => {
        node.powerOff();
        node.mounts(mounted);
        node.powerOn(false);
      };
      cycle(false);
      return () => cycle(true);
    }),
  },
  {
    what: 'its data dir belongs to root',
    weight: 1,
    strikes: (_, node) => {
      const { disk } = node;
      const dir = disk.entries.get(DATA_DIR);
      if (dir) disk.set(DATA_DIR, { ...dir, rights: { mode: 0o700, uid: 0, gid: 0 } });
    },
  },
  {
    what: 'a setting of etcd is garbage',
    weight: 1,
    strikes: fileIs(PLACES.env, (is) => is.replace('INTERVAL=100', 'INTERVAL=abc')),
  },
  {
    what: 'the settings of etcd name a certificate that is not there',
    weight: 1,
    strikes: fileIs(
      PLACES.env,
      (is) =>
        `${is}ETCD_PEER_CERT_FILE=/etc/peer.pem\nETCD_PEER_KEY_FILE=/etc/peer-key.pem\nETCD_PEER_TRUSTED_CA_FILE=/etc/ca.pem\n`,
    ),
  },
  { what: 'etcd.env is missing', weight: 1, strikes: fileIs(PLACES.env, () => undefined) },
  { what: "the app's view is missing", weight: 1, strikes: fileIs(PLACES.appEnv, () => undefined) },
  { what: 'its data dir is a mount point', weight: 1, strikes: kindIs(DATA_DIR, 'mount point') },
  { what: 'its unit is masked', weight: 1, strikes: kindIs(PLACES.unitFile, 'mask') },
  {
    what: 'an alarm is raised for a while',
    weight: 2,
    strikes: forAWhile(
      3 * MINUTE_MS,
      (sim) => {
        const raised = sim.random.pick(['NOSPACE', 'CORRUPT']);
        const alarms = (of: 'raise' | 'disarm') => (): void => {
          const serving = sim.nodes.find(({ etcd }) => etcd && sim.raft.serves(etcd))?.etcd;
          if (serving === undefined) return;
          const alarm = { memberId: serving.data.memberId, alarm: raised };
          try {
            sim.raft.propose(serving, (state) => ({ ...state, alarms: of === 'raise' ? [alarm] : [] }));
          } catch {
            // Not now.
          }
        };
        alarms('raise')();
        return alarms('disarm');
      },
      false,
    ),
  },
];

const ofTheApp: readonly Fault[] = [
  { what: "the app's start is run", weight: 1, strikes: (sim, node) => verb(sim, node, 'start') },
  { what: "the app's restart is run", weight: 2, strikes: (sim, node) => verb(sim, node, 'restart') },
  {
    what: 'the metadata changes, and confd runs update',
    weight: 2,
    strikes: forAWhile(30_000, (sim, node) => {
      const { disk } = node;
      const changes = sim.random.pick([{ ADDED_NODES: '9' }, { DELETED_NODES: '9' }, {}]);
      disk.set(PLACES.appEnv, { text: node.appView(changes), rights: ROOT_FILE });
      verb(sim, node, 'update');
      return () => disk.set(PLACES.appEnv, { text: node.appView(), rights: ROOT_FILE });
    }),
  },
  {
    what: 'TLS is on by the metadata, and its certificates are gone',
    weight: 1,
    strikes: forAWhile(2 * MINUTE_MS, (sim, node) => {
      node.disk.set(PLACES.appEnv, { text: node.appView({ ETCD_ENABLE_TLS: 'true' }), rights: ROOT_FILE });
      return () => {
        node.disk.set(PLACES.appEnv, { text: node.appView(), rights: ROOT_FILE });
        // As the app's closeTLS does: where etcd.env did not say otherwise it may have been added by the name of TLS.
        if (!sim.tls) updateMember(sim, `https://${node.name}:2380`, sim.url(node.sid, 2380), true);
      };
    }),
  },
  {
    what: 'TLS is off by the metadata, and no node can be reached',
    weight: 1,
    strikes: forAWhile(2 * MINUTE_MS, (sim, node) => {
      node.disk.set(PLACES.appEnv, { text: node.appView({ ETCD_ENABLE_TLS: 'false' }), rights: ROOT_FILE });
      sim.network.cable(node, false);
      return () => {
        node.disk.set(PLACES.appEnv, { text: node.appView(), rights: ROOT_FILE });
        sim.network.cable(node, true);
      };
    }),
  },
  { what: 'a backup runs', weight: 1, strikes: (sim, node) => verb(sim, node, 'backup') },
  {
    what: 'its settings change for a while',
    weight: 2,
    strikes: forAWhile(
      2 * MINUTE_MS,
      (sim, node) => {
        const { settings } = sim;
        const changed = sim.random.pick([
          () => Object.assign(node, { mode: 'manual' }),
          () => Object.assign(node, { mode: 'off' }),
          () => Object.assign(sim, { settings: { ...settings, maxPerDay: 0 } }),
          () => Object.assign(sim, { settings: { ...settings, keepAside: 0 } }),
        ]);
        changed();
        return () => {
          node.mode = 'auto';
          sim.settings = settings;
        };
      },
      false,
    ),
  },
  {
    what: 'the app is stopped and started',
    weight: 2,
    strikes: (sim, node) => {
      sim.spawn(node, 'stop', 10 * MINUTE_MS, stop);
      const starts = (): void => {
        // On a machine that is off, and where it cannot work yet, it is called again later; and AppCenter calls one of them
        // after the other.
        const stops = [...node.procs].some(({ what }) => what === 'stop');
        if (node.on && node.ailing.root !== 'read-only' && !stops)
          sim.spawn(node, 'start', 20 * MINUTE_MS, start);
        else sim.clock.after(30_000, starts);
      };
      sim.clock.after(sim.random.between(1000, 2 * MINUTE_MS), starts);
    },
  },
];

const ofPeople: readonly Fault[] = [
  {
    what: 'an operator asks for a heal',
    weight: 1,
    strikes: (sim, node) =>
      sim.spawn(node, 'heal by hand', 60_000, ({ machine, places }) =>
        requestHeal({ machine, places }, 'operator').catch(() => undefined),
      ),
  },
  {
    what: 'an operator removes the member',
    weight: 1,
    strikes: (sim, node) =>
      person(sim, node, 'etcdctl member remove', () => {
        const { asked, own } = listedFor(sim, node);
        // On a node without a mark nothing tells then that it has been a member: it is for a person to add it again, as
        // docs/failures.md says.
        const marked = [PLACES.rootDiskMark, PLACES.dataDiskMark].some((path) => node.disk.has(path));
        if (asked && own && marked && !node.etcd?.joined) sim.raft.removeMember(asked, own.id);
      }),
  },
  {
    what: 'a person pauses heals for a while',
    weight: 2,
    strikes: forAWhile(3 * MINUTE_MS, (sim, node) => {
      if (!node.on) return undefined;
      sim.spawn(node, 'heal-node pause', MINUTE_MS, ({ machine, places }) =>
        pauseNode(machine, places, 'heals are paused on this node', 3 * MINUTE_MS).catch(() => undefined),
      );
      return () => node.disk.delete(PLACES.paused);
    }),
  },
  {
    what: 'an operator adds the member',
    weight: 1,
    strikes: (sim, node) =>
      person(sim, node, 'etcdctl member add', () => {
        const asked = sim.nodes.find(({ etcd }) => etcd && sim.raft.serves(etcd))?.etcd;
        const urls = [sim.url(node.sid, 2380)];
        // One that waits, or that has its ID under another URL just now, is on the list that he looks at first.
        const waiting = asked?.applied.state.members.some(
          ({ id, name }) => name === '' || id === node.data?.memberId,
        );
        if (asked && !waiting)
          sim.raft.addMember(asked, memberId(urls, sim.token, Math.floor(sim.clock.nowMs / 1000)), urls);
      }),
  },
  {
    what: 'an operator restores the originals',
    weight: 1,
    strikes: (sim, node) =>
      sim.spawn(node, 'restore by hand', 10 * MINUTE_MS, (world, settings, log) =>
        restoreByHand(world, settings, log).catch((error: Error) =>
          sim.tell(`restore by hand: ${error.message}`),
        ),
      ),
  },
  {
    what: 'a person begins the runbook and goes home',
    weight: 2,
    strikes: (sim, node) => {
      const editor = new Proc(node, `vi ${PLACES.copyEnv}`, 'theirs');
      const { disk } = node;
      const unit = disk.entries.get(PLACES.unitFile);
      const env = disk.entries.get(PLACES.env);
      if (node.on && env?.text !== undefined) {
        disk.set(PLACES.copyEnv, { ...env, text: env.text.replace('STATE=new', 'STATE=existing') });
        if (unit && (node.data === undefined || sim.random.chance(0.5)) && !disk.has(PLACES.copyUnitFile))
          disk.move(PLACES.unitFile, PLACES.copyUnitFile);
        // A name that is changed is there under one of both, whatever power does.
        disk.flush();
      }
      sim.clock.after(sim.random.between(1000, 30_000), () => editor.ends());
    },
  },
  {
    what: 'somebody deletes its WAL under the running etcd',
    weight: 1,
    strikes: (sim, { disk, etcd }) => {
      if (etcd === undefined) return;
      disk.delete(WAL_DIR);
      const env = disk.entries.get(PLACES.env);
      // A copy that somebody has left long ago has it taken up while it serves.
      if (!env || sim.random.chance(0.3)) return;
      disk.set(PLACES.copyEnv, env);
      disk.age(PLACES.copyEnv, 60 * MINUTE_MS);
    },
  },
  {
    what: 'an operator gives its member other peer URLs for a while',
    weight: 1,
    strikes: forAWhile(3 * MINUTE_MS, (sim, node) => {
      // No two members have the same.
      const [own, other] = [sim.url(node.sid, 2380), `${sim.url(9, 2380)}${node.sid}`];
      updateMember(sim, own, other, false);
      return () => updateMember(sim, other, own, true);
    }),
  },
];

const ofTheJournal: readonly Fault[] = [
  { what: 'the journal is gone', weight: 1, strikes: (_, { disk }) => disk.delete(PLACES.journal) },
  {
    what: 'the journal is torn',
    weight: 1,
    strikes: (_, { disk }) => disk.set(PLACES.journal, file('{"schema":"heal-node.heal/1","id":"2026')),
  },
  {
    what: 'the journal is a lie',
    weight: 1,
    strikes: (sim, { disk }) =>
      disk.set(
        PLACES.journal,
        file(
          JSON.stringify({
            schema: 'heal-node.heal/1',
            id: '20990101T000000Z-abcdef',
            by: 'operator',
            reason: 'stale/removed',
            startedAt: '2099-01-01T00:00:00.000Z',
            message: '',
            oldMemberId: sim.bornId(1),
            newMemberId: sim.bornId(1),
            servedBefore: [sim.url(9, 2379)],
            membersBefore: [],
            membersAfter: [],
            steps: ['fence', 'set-aside', 'stage', 'remove', 'add', 'start', 'verify'].map((id) => ({
              id,
              startedAt: '2026-01-01T00:00:00.000Z',
              did: 'everything',
            })),
          }),
        ),
      ),
  },
];

/** What happens to a node that is being healed, and around it. */
export const faults: readonly Fault[] = [
  ...ofProcesses,
  ...ofPower,
  ...ofNetwork,
  ...ofThisMachine,
  ...ofTheApp,
  ...ofPeople,
  ...ofTheJournal,
];

/** Those that only a machine has by itself, for a member whose data are whole. */
export const localFaults: readonly Fault[] = [...ofThisMachine, ...ofTheApp];
