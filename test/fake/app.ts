import { CA_KEY, CERTIFICATES, certificatePath } from '../../src/appcenter/certificates.ts';
import type { Member } from '../../src/cluster/cluster.ts';
import type { FakeNode } from './node.ts';
import { PLACES } from './observation.ts';
import { DATA_DIR, ETCD_RIGHTS, ROOT_FILE } from './paths.ts';
import { Proc } from './process.ts';
import { type Domain, putCertificates } from './tls.ts';
import type { FakeWorld } from './world.ts';

const CTL = '/opt/app/bin/ctl.sh';
/** The app waits for its own `systemctl` as long as it takes. */
const PATIENCE_MS = 600_000;

export type Verb = 'start' | 'stop' | 'restart' | 'update' | 'change names' | 'backup';

/** `systemctl` by way of a process: what it does, when it returns, and what becomes of it when systemd hangs. */
export function systemctl(proc: Proc, words: readonly string[], timeoutMs: number): Promise<void> {
  const { node } = proc;
  const { clock, random } = node.world;
  const late = (): void => {
    node.world.happened('systemctl takes too long');
    throw new Error(`systemctl ${words.join(' ')}: not done after ${timeoutMs} ms`);
  };
  return proc.wait<void>(
    timeoutMs,
    (done, failed) => {
      const answersMs = Math.max(clock.nowMs + random.between(10, 120), node.systemd.hangsUntilMs);
      clock.after(answersMs - clock.nowMs, () => {
        // What was asked of a PID 1 that hung is done when it goes on, though nobody waits any more.
        if (!node.on || (!proc.isAlive && answersMs - clock.nowMs < 200)) return;
        if (proc.isAlive) node.onEffect(proc.what, 'before');
        if (!proc.isAlive) return;
        try {
          node.systemd.command(words, proc.owner === 'ours' ? proc.what : 'the app', done);
        } catch (error) {
          failed(error as Error);
        }
        if (proc.isAlive) node.onEffect(proc.what, 'after');
        node.world.check();
      });
    },
    late,
  );
}

/**
 * Certificates without which the app starts nothing: on the first node it makes new ones, for all, where the CA is not
 * there; else it waits for them in vain. Who runs it otherwise than by us knows what for, or has others to blame.
 */
async function hasCertificates({ disk, world, sid }: FakeNode, proc: Proc, byUs: boolean): Promise<boolean> {
  const has = (name: string): boolean => disk.has(certificatePath(name));
  world.holds(
    "none of ours runs the app's start where it makes a new authority",
    !byUs || sid !== 1 || has('ca'),
    () => `etcd${sid} has no ca.pem`,
  );
  if ([...CERTIFICATES, CA_KEY].every(has)) return true;
  await proc.call(120_000, () => undefined);
  return false;
}

/** The app's verbs, as far as they touch etcd (docs/platform.md). Returns the exit code. */
async function run(node: FakeNode, proc: Proc, verb: Verb, byUs: boolean): Promise<number> {
  const { disk, world } = node;
  const call = (...words: string[]): Promise<number> =>
    systemctl(proc, words, PATIENCE_MS).then(
      () => 0,
      () => 5,
    );
  const start = async (): Promise<number> => {
    // It enables the unit first, which fails where that is moved aside: nothing is written then (docs/platform.md).
    if (disk.kindOf(PLACES.unitFile) === 'none') return 5;
    const isTls = /ETCD_ENABLE_TLS=.?true/.test(disk.text(PLACES.appEnv) ?? '');
    if (isTls && !(await hasCertificates(node, proc, byUs))) return 19;
    await proc.call(world.random.between(5, 50), () => {
      const dir = disk.entries.get(DATA_DIR);
      if (dir)
        disk.set(DATA_DIR, { ...dir, rights: { ...dir.rights, uid: ETCD_RIGHTS.uid, gid: ETCD_RIGHTS.gid } });
      // A shell writes it, and nothing flushes it.
      if (node.ailing.root === 'no') node.appWrites();
    });
    return call('start', PLACES.unit);
  };
  switch (verb) {
    case 'start':
      return start();
    case 'stop':
      return call('stop', PLACES.unit);
    case 'restart':
      await call('stop', PLACES.unit);
      return start();
    case 'update':
      // It does nothing while the unit is not enabled.
      if (disk.kindOf(PLACES.unitFile) !== 'file') return 0;
      await call('stop', PLACES.unit);
      return start();
    case 'change names':
      if (disk.kindOf(PLACES.unitFile) !== 'file') return 0;
      await proc.call(world.random.between(5000, 15_000), () => {
        if (world.tls) putCertificates(node, world.domain.certificates);
        node.appWrites();
        world.tell(`${node.name} has them`);
        disk.flush();
      });
      await call('stop', PLACES.unit);
      return call('start', PLACES.unit);
    case 'backup':
      await proc.call(world.random.between(1000, 30_000), () => undefined);
      return 0;
  }
}

/** Runs one of the app's verbs as a process of its own, which goes on whoever waits for it. */
export function runVerb(node: FakeNode, verb: Verb, byUs = false): Promise<number> {
  const called = verb === 'change names' ? 'update' : verb;
  const proc = new Proc(node, `${CTL} ${called}`, 'theirs');
  return run(node, proc, verb, byUs).then((code) => {
    proc.ends();
    return code;
  });
}

/**
 * confd has rendered other names on all nodes, or TLS on or off, and calls the app's update. Its first node makes a new
 * authority where there is TLS, and has the cluster list each member by its new URLs; each node whose unit is in place takes
 * the new certificates and restarts etcd. Where TLS comes on they are laid on all nodes a moment after that.
 * @param to without TLS unless given
 */
export function changesUrls(world: FakeWorld, to: Domain | undefined): void {
  const [first] = world.nodes;
  if (to && first?.disk.kindOf(PLACES.unitFile) !== 'file') throw new Error('nobody makes a new authority');
  if (to && !world.tls)
    world.clock.after(world.random.between(800, 2500), () => {
      for (const node of world.nodes) if (node.on) putCertificates(node, to.certificates);
      return true;
    });
  Object.assign(world, { tls: to !== undefined, domain: to ?? world.domain });
  world.tell('the app gives its nodes other names');
  for (const node of world.nodes) {
    node.disk.set(PLACES.appEnv, { text: node.appView(), rights: ROOT_FILE });
    if (node.on) void runVerb(node, 'change names');
  }
  const renamed = (member: Member): Member => {
    const sid = Number(member.name.slice(4));
    const urls = { peerUrls: [world.url(sid, 2380)], clientUrls: [world.url(sid, 2379)] };
    return member.name === '' ? member : { ...member, ...urls };
  };
  const update = (): true => {
    const asked = world.nodes.find(({ etcd }) => etcd && world.raft.serves(etcd))?.etcd;
    try {
      if (asked === undefined) throw new Error('nobody serves');
      world.raft.propose(asked, (state) => ({ ...state, members: state.members.map(renamed) }));
      world.tell('the members are listed by them');
    } catch {
      world.clock.after(1000, update);
    }
    return true;
  };
  world.clock.after(world.random.between(1000, 4000), update);
}

/** The command lines of the processes that run, those of people among them; a script's interpreter stands before it. */
export const commandLines = (node: FakeNode): string[][] =>
  [...node.procs].filter(({ owner }) => owner === 'theirs').map(({ what }) => ['bash', ...what.split(' ')]);
