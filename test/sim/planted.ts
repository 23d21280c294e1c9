/**
 * Bugs that must be found: each changes a few words of the product's own source as it is loaded, and nothing else.
 * `planted.ts INDEX SCHEDULES` says at which seed the simulation finds one; with `PLANTED=INDEX` and
 * `--preload test/sim/plant.ts` any test runs with it.
 */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface PlantedBug {
  readonly what: string;
  /** Of the product, from the top of the repository. */
  readonly file: string;
  /** These words stand there once, and become those. */
  readonly from: string;
  readonly to: string;
  /** The test that finds it, where another layer keeps it from doing harm, so that no schedule shows it. */
  readonly test?: string;
  /** Clusters in TLS mode alone show it, which every tenth seed has (isTls in schedule.ts). */
  readonly inTls?: true;
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    what: 'the member is removed before its replacement is staged',
    file: 'src/plan/heal-steps.ts',
    from: 'healSteps.find((step) => !step.done(s, run))',
    to: "healSteps.find((step) => step.id !== 'stage' && !step.done(s, run)) ?? healSteps.find((step) => !step.done(s, run))",
  },
  {
    what: 'the member is removed before its data are set aside',
    file: 'src/plan/heal-steps.ts',
    from: 'joined(s, run) || emptyEnough(s) || arriving(s)',
    to: "joined(s, run) || emptyEnough(s) || arriving(s) || s.membership === 'listed'",
  },
  {
    what: 'every member that does not answer is removed, as the app does it',
    file: 'src/act/heal/effects/membership.ts',
    from: "  if (old.name !== '') heal.record.oldMemberId = old.id;\n",
    to: `  if (old.name !== '') heal.record.oldMemberId = old.id;
  for (const { id } of heal.situation.cluster.members)
    if (!heal.situation.cluster.serving.some(({ reply }) => reply.memberId === id) && id !== old.id)
      await heal.cluster.removeMember(heal.servingEndpoints, id).catch(() => undefined);
`,
  },
  {
    what: 'a leftover database counts as empty',
    file: 'src/plan/heal-steps.ts',
    from: "data.kind === 'none' && !data.occupied && data.walDir",
    to: "data.kind === 'none' && data.walDir",
  },
  {
    what: 'the saved original goes before the unit is back',
    file: 'src/act/heal/effects/units.ts',
    from: '  const did = await unitsBack(heal);\n',
    to: '  await machine.remove(places.originals);\n  await machine.remove(places.copyUnitFile);\n  const did = await unitsBack(heal);\n',
  },
  {
    what: 'the saved original goes though a person has moved the unit aside',
    file: 'src/act/heal/originals.ts',
    from: "(await machine.kindOf(unitFile)) === 'none'",
    to: "(await machine.kindOf(unitFile)) === 'mask'",
    test: 'test/act/heal/originals.test.ts',
  },
  {
    what: 'the gate lets a node start whose data are gone',
    file: 'src/act/gate.ts',
    from: '    if (mark.wasMember) return withoutData(bare);\n',
    to: '    if (mark.wasMember) return undefined;\n',
  },
  {
    what: 'what was staged by URLs that the app has changed since is kept',
    file: 'src/plan/heal-steps.ts',
    from: '  !s.stagedBefore &&\n',
    to: '',
    test: 'test/plan/heal-steps.test.ts',
  },
  {
    what: 'what systemd has in memory is not looked at',
    file: 'src/plan/heal-steps.ts',
    from: 'unit.ok && !unit.value.needsReload',
    to: 'unit.ok',
    test: 'test/plan/heal-steps.test.ts',
  },
  {
    what: 'the environment lists the cluster as the old file does',
    file: 'src/act/heal/effects/units.ts',
    from: "ETCD_INITIAL_CLUSTER_STATE: 'existing', ETCD_INITIAL_CLUSTER: initialCluster }",
    to: "ETCD_INITIAL_CLUSTER_STATE: 'existing' }",
  },
  {
    what: 'a member is taken for added by how many there are',
    file: 'src/plan/heal-steps.ts',
    from: "(s.membership === 'unstarted' && (run.listedByAll || up(s)))",
    to: 's.cluster.members.length % 2 === 1',
  },
  // Rules and the view of the cluster.
  {
    what: 'a member is called stale while too few serve without it',
    file: 'src/diagnose/cluster-view.ts',
    from: 'members.length > 0 && listed.length >= quorum && disagreement === undefined',
    to: 'members.length > 0 && disagreement === undefined',
    test: 'test/diagnose/cluster-view.test.ts',
  },
  {
    what: 'the quorum is one less',
    file: 'src/diagnose/cluster-view.ts',
    from: 'Math.floor(voters.length / 2) + 1',
    to: 'Math.floor(voters.length / 2)',
    test: 'test/diagnose/cluster-view.test.ts',
  },
  {
    what: 'a member that only answers counts as one that serves',
    file: 'src/diagnose/cluster-view.ts',
    from: 'else if (!reply.value.serves) silent.push({ endpoint, why: reply.value.unavailableReason });\n',
    to: '',
    test: 'test/diagnose/cluster-view.test.ts',
  },
  {
    what: 'the own entry is found by name',
    file: 'src/diagnose/cluster-view.ts',
    from: "member.peerUrls.some((url) => config.peerUrls.includes(url.replace(/\\/+$/, '')))",
    to: 'member.name === config.name',
  },
  {
    what: "another member's data are started while no quorum says whose they are",
    file: 'src/diagnose/cluster-view.ts',
    from: 'members.length > 0 ? members : others.flatMap',
    to: 'members.length >= 0 ? members : others.flatMap',
    test: 'test/act/gate.test.ts',
  },
  {
    what: 'a member whose log is too short is restarted while the others are off',
    file: 'src/diagnose/rules.ts',
    from: "isLogShort(s) && s.process !== 'alive' &&",
    to: "isLogShort(s) && s.process === 'alive' &&",
    test: 'test/diagnose/rules.test.ts',
  },
  {
    what: 'data that are ahead of the cluster are nothing special',
    file: 'src/diagnose/situation.ts',
    from: 'cluster.serving.every(({ reply }) => reply.raftIndex < commit)',
    to: 'false',
    test: 'test/diagnose/rules.test.ts',
  },
  {
    what: 'another birthmark is nothing special',
    file: 'src/diagnose/birthmark-mismatch.ts',
    from: "reply.credentialsRefused === '' && ![reply",
    to: "reply.credentialsRefused !== '' && ![reply",
  },
  {
    what: 'data of another cluster are wiped as those of a removed member',
    file: 'src/diagnose/situation.ts',
    from: "cluster.clusterId === ''\n        ? undefined",
    to: "cluster.clusterId !== ''\n        ? undefined",
  },
  {
    what: 'whoever crashes has damaged data',
    file: 'src/diagnose/stale-proofs.ts',
    from: 'holds: (s) => harmIn(s).length > 0 && crashedOnData(s),',
    to: 'holds: (s) => s.crashed,',
    test: 'test/diagnose/rules.test.ts',
  },
  // Guards.
  {
    what: 'nobody asks whether the data are proved stale',
    file: 'src/plan/guards.ts',
    from: "!s.provenStale && !provenStale && 'nothing seen",
    to: "!s.config && 'nothing seen",
    test: 'test/plan/guards.test.ts',
  },
  {
    what: 'nobody asks whether those that serve are a quorum',
    file: 'src/plan/guards.ts',
    from: 'if (members.length > 0 && led.length >= quorum) return undefined;',
    to: 'if (members.length > 0 || led.length >= quorum) return undefined;',
    test: 'test/plan/guards.test.ts',
  },
  {
    what: 'nobody asks whose entry is to be replaced',
    file: 'src/plan/guards.ts',
    from: '      cluster.ownServedBy &&\n',
    to: '      cluster.ownServedBy === config.clientUrl &&\n',
    test: 'test/plan/guards.test.ts',
  },
  {
    what: 'heals that changed the cluster do not count against the daily limit',
    file: 'src/plan/guards.ts',
    from: 'healsInLastDay.filter(changedTheCluster)',
    to: 'healsInLastDay.filter((heal) => !changedTheCluster(heal))',
    test: 'test/plan/guards.test.ts',
  },
  // Certificates that are lost with the data.
  {
    what: 'certificates of another authority are put in place',
    file: 'src/act/heal/effects/certificates.ts',
    from: 'if (ca.trim() !== trusted?.trim())',
    to: "if (trusted === '')",
  },
  {
    what: 'a key that does not fit its certificate is put in place',
    file: 'src/machine/os/certificates.ts',
    from: 'key && !cert.checkPrivateKey(key) &&',
    to: 'key && cert.checkPrivateKey(key) === undefined &&',
    test: 'test/act/heal/certificates.test.ts',
  },
  {
    what: 'certificates are brought before the guards are asked',
    file: 'src/plan/heal-steps.ts',
    from: "needs: 'all',\n    looksBefore: ['files', 'units', 'self', 'cluster'],\n    looksAfter: ['files', 'units', 'host'],",
    to: "needs: ['role'],\n    looksBefore: ['files', 'units', 'self', 'cluster'],\n    looksAfter: ['files', 'units', 'host'],",
    test: 'test/act/heal/certificates.test.ts',
  },
  {
    what: 'a heal is begun although heals are paused',
    file: 'src/act/heal-service.ts',
    from: 'const paused = pauseOf(situation);',
    to: "const paused = '';",
    test: 'test/act/pause.test.ts',
  },
  {
    what: 'a heal that was cut off while the cluster is short of a member waits for the end of a pause',
    file: 'src/act/heal-service.ts',
    from: "unfinished === undefined || joined || membership === 'listed' ? paused : undefined;",
    to: 'paused;',
    test: 'test/act/pause.test.ts',
  },
  {
    what: 'a pause goes by the clock alone',
    file: 'src/state/pause.ts',
    from: 'bootId === pause.bootId ? upMs - pause.upMs : clockMs',
    to: 'machine.now() - pause.sinceMs',
    test: 'test/act/pause.test.ts',
  },
  {
    what: 'other nodes are asked for certificates at every action',
    file: 'src/act/heal/run-heal.ts',
    from: 'const OFFER_AGAIN_MS = 10 * 60_000;',
    to: 'const OFFER_AGAIN_MS = 0;',
    test: 'test/act/heal/certificates.test.ts',
  },
  {
    what: "the app's start is run without certificates, where the gate lets it",
    file: 'src/act/start-stop.ts',
    from: 'if (risk !== undefined) {',
    to: 'if (risk !== undefined && !before.certificatesToBring) {',
    test: 'test/act/heal/certificates.test.ts',
  },
  {
    what: 'certificates that the app has replaced since stay in place',
    file: 'src/observe/look-at-files.ts',
    from: 'if (missing.length + faults.length === 0)',
    to: 'if (missing.length === 0)',
    test: 'test/act/heal/new-names.test.ts',
  },
  {
    what: 'the unit comes back while the app gives the others their certificates',
    file: 'src/act/heal/effects/units.ts',
    from: 'if (!waits()) return;\n  log.info(',
    to: 'if (heal.situation.swapped) return;\n  log.info(',
    test: 'test/act/heal/new-names.test.ts',
  },
  {
    what: "an app's start that was cut off when the unit was back is not run again",
    file: 'src/act/heal/effects/member.ts',
    from: 'if (unit === places.unit && (await appCatchesUp(heal)))',
    to: "if (unit === '' && (await appCatchesUp(heal)))",
    test: 'test/act/heal/new-names.test.ts',
  },
  {
    what: "the CA's key is brought last, and a cut before it leaves it out",
    file: 'src/act/heal/effects/certificates.ts',
    from: '...[CA_KEY, ...CERTIFICATES].map(certificatePath)',
    to: '...[...CERTIFICATES, CA_KEY].map(certificatePath)',
    test: 'test/act/heal/certificates.test.ts',
  },
  {
    what: "the app's start is run on a node without certificates and without a mark",
    file: 'src/act/gate.ts',
    from: 'if (bare.certificatesToBring)',
    to: 'if (bare.certificatesToBring && mark.wasMember)',
    test: 'test/act/heal/certificates.test.ts',
  },
  {
    what: 'the words of a run from before the loss keep certificates from being brought',
    file: 'src/diagnose/rules.ts',
    from: 's.crashed && !s.certificatesToBring && s.words.find',
    to: 's.crashed && s.words.find',
    test: 'test/diagnose/rules.test.ts',
  },
  {
    what: 'old data that etcd dies of on the copy are taken for those of a new member that arrives',
    file: 'src/plan/heal-steps.ts',
    from: 'up(s) && onCopy && !dies &&',
    to: 'up(s) && onCopy &&',
    test: 'test/plan/heal-steps.test.ts',
  },
  {
    what: 'a step goes by what was near before a silent host was waited for',
    file: 'src/act/heal/heal-context.ts',
    from: "if (near.includes('cluster')) await",
    to: "if (near.includes('none')) await",
    test: 'test/act/heal/look-again.test.ts',
  },
  // Turn and claim.
  {
    what: 'a turn is had without asking',
    file: 'src/act/heal/turn.ts',
    from: 'if (holder !== heal.config.name) throw',
    to: "if (holder === '') throw",
    test: 'test/act/heal/turn.test.ts',
  },
  {
    what: 'a turn is not given back',
    file: 'src/act/heal/turn.ts',
    from: 'await heal.cluster.revokeLease(heal.servingEndpoints, turn.lease).catch(() => undefined);',
    to: 'await heal.cluster.keepAlive(heal.servingEndpoints, turn.lease).catch(() => undefined);',
    test: 'test/act/heal/turn.test.ts',
  },
  {
    what: 'a claim takes the key that another holds',
    file: 'src/cluster/claim.ts',
    from: 'return faster ?? {',
    to: 'return { ...faster, ...mine } ?? {',
    test: 'test/act/heal/turn.test.ts',
  },
  {
    what: 'another joiner is not waited for',
    file: 'src/act/heal/effects/membership.ts',
    from: '      mustBear(heal);\n',
    to: '',
    test: 'test/act/heal/turn.test.ts',
  },
  {
    what: 'data of a member that a person has listed by other peer URLs are set aside',
    file: 'src/plan/heal-steps.ts',
    from: "'own-data', 'own-member', 'not-ahead'",
    to: "'own-data', 'not-ahead'",
    test: 'test/plan/guards.test.ts',
  },
  // Marks, parking, memory, comparison, flushing.
  {
    what: 'what is written takes the old name before it is flushed',
    file: 'src/machine/os/held-dir.ts',
    from: '  fsyncSync(fd);\n',
    to: '',
    test: 'test/machine/os/flush.test.ts',
  },
  {
    what: 'a new name is not flushed',
    file: 'src/machine/os/held-dir.ts',
    from: '    fsyncSync(this.fd);\n',
    to: '',
    test: 'test/machine/os/flush.test.ts',
  },
  {
    what: 'a mark counts only on both disks',
    file: 'src/state/member-mark.ts',
    from: 'root?.there === true || data?.there === true',
    to: 'root?.there === true && data?.there === true',
  },
  {
    what: 'a parked heal goes on where the cluster is short of a member',
    file: 'src/act/heal/run-heal.ts',
    from: 'const why = whole ? await parked() : undefined;',
    to: 'const why = await parked();',
    test: 'test/act/heal/turn.test.ts',
  },
  {
    what: 'data proved stale look whole again when the unit is aside',
    file: 'src/plan/heal-steps.ts',
    from: '((s.joined || isNew) && memberId !== run.staleMemberId)',
    to: '(s.joined || isNew)',
    test: 'test/act/heal/quorum-goes.test.ts',
  },
  {
    what: 'a heal does not mark its node as one that has been a member',
    file: 'src/act/heal/run-heal.ts',
    from: "if (step.needs === 'all') await markMember",
    to: 'if (heal.joined) await markMember',
    test: 'test/act/gate.test.ts',
  },
  {
    what: 'the gate goes by the mark that it has seen at first',
    file: 'src/act/gate.ts',
    from: 'withoutData(situationOf({ ...asked.observed, mark: await readMark(machine, places) }, places))',
    to: 'withoutData(asked)',
    test: 'test/act/gate.test.ts',
  },
  {
    what: 'a turn that may have run out is gone by',
    file: 'src/act/heal/effects/membership.ts',
    from: '> (TURN_SEC * 1000) / 2) await takeTurn(heal);',
    to: '> TURN_SEC * 1e6) await takeTurn(heal);',
    test: 'test/act/heal/turn.test.ts',
  },
  {
    what: 'whoever answers late has other URLs by now',
    file: 'src/observe/look-at-files.ts',
    from: "each.state !== 'none' || each.mayAnswer",
    to: "each.state !== 'none'",
    test: 'test/act/heal/new-urls.test.ts',
  },
  {
    what: 'a step goes on where one before it has come to be called for',
    file: 'src/act/heal/run-heal.ts',
    from: 'const isNext = () => firstNotDone(heal.situation, heal.memory) === step;',
    to: 'const isNext = () => !step.done(heal.situation, heal.memory);',
    test: 'test/act/heal/certificates.test.ts',
  },
  {
    what: 'data whose log is too short are brought back while the others are silent',
    file: 'src/act/heal/run-heal.ts',
    from: '(memory.provenStale && !memory.logShort)',
    to: 'memory.provenStale',
    test: 'test/act/heal/quorum-goes.test.ts',
  },
  {
    what: 'a difference of the data is no error',
    file: 'src/act/heal/effects/member.ts',
    from: '  if (differs(result)) {',
    to: '  if (differs(result) && notAsked !== undefined) {',
    test: 'test/act/heal/data-differ.test.ts',
  },
  {
    what: 'the copy of an environment that has been put right stays bad',
    file: 'src/plan/heal-steps.ts',
    from: '  (s.observed.swap.staged.asOriginal || up(s)) &&\n',
    to: '',
  },
  {
    what: "a journal that names another node's member is believed",
    file: 'src/plan/heal-steps.ts',
    from: 'isThere && !s.foreign && ',
    to: 'isThere && ',
    test: 'test/act/heal/switches.test.ts',
  },
  {
    what: 'a proof that lacks between two crashes is a refusal',
    file: 'src/plan/guards.ts',
    from: "(id === 'stale' && unit?.active === 'activating')",
    to: 'false',
    test: 'test/act/heal/look-again.test.ts',
  },
  {
    what: 'a heal does not wait for the others to switch as its node has',
    file: 'src/act/heal/effects/units.ts',
    from: 'awaitsNames || (mayFollow && awaitsUrls)',
    to: 'awaitsNames',
    test: 'test/act/heal/switches.test.ts',
  },
  {
    what: 'a list on which those that serve do not agree says who was removed',
    file: 'src/diagnose/situation.ts',
    from: '      cluster.hasQuorumWithoutSelf &&\n      data.clusterId',
    to: '      data.clusterId',
    test: 'test/diagnose/rules.test.ts',
  },
  {
    what: 'the action knows no limit',
    file: 'src/act/health-action.ts',
    from: 'Math.max(0, settings.actionTimeoutMs - (machine.monotonicMs() - beganMs) - 500)',
    to: '600_000',
  },
];

const top = join(import.meta.dirname, '../..');

/** The source with the bug in it. @throws when it is not that source any more: then the row needs new words */
export function planted({ what, file, from, to }: PlantedBug): string {
  const text = readFileSync(join(top, file), 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${what}: ${file} does not hold once: ${from}`);
  return text.replace(from, () => to);
}

/** Every file of the product is loaded as it is, and the one with the bug in it changed. Before any of it is imported. */
export function plant(bug: PlantedBug): void {
  const contents = planted(bug);
  Bun.plugin({
    name: 'planted',
    setup(build) {
      build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
        contents: relative(top, path) === bug.file ? contents : readFileSync(path, 'utf8'),
        loader: 'ts',
      }));
    },
  });
}

if (process.argv[1] === import.meta.filename) {
  const bug = plantedBugs[Number(process.argv[2])] as PlantedBug;
  plant(bug);
  const { runSchedule } = await import('./schedule.ts');
  const print = console.log;
  console.log = () => undefined;
  const most = Number(process.argv[3] ?? 10_000);
  let found: string | undefined;
  let after = 0;
  for (; found === undefined && after < most; after++)
    found = runSchedule(bug.inTls ? 7 + 10 * after : 1 + after).violation;
  print(JSON.stringify({ found: found ?? null, after }));
  process.exit(found === undefined ? 1 : 0);
}
