/** `npm run package:try`: the package is installed, upgraded and removed on machines of each Debian release. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { version } from '../../../package.json';
import { built } from '../../../scripts/build.ts';
import { makeDeb } from '../../../scripts/package/deb.ts';
import { debianVersion } from '../../../scripts/package/files.ts';
import { makePackage } from '../../../scripts/package.ts';
import { type Suite, suites } from '../bed/base-root.ts';
import { Bed } from '../bed/bed.ts';
import { machineLogs } from '../bed/machine-logs.ts';
import { notAtFirstBoot } from '../bed/scenario.ts';
import { sh } from '../bed/sh.ts';
import { sweepLeftovers } from '../bed/sweep.ts';
import { noteRuns, type Scene, steps } from './steps.ts';

/** Before every release. */
const OLDER = '0.0.1';
const SETTINGS = 'opt/app/conf/heal-node.env';
const NAMES = ['older.deb', 'newer.deb', 'heal-node'];

/** The package as it is released, and an older one, which has another settings file, as one of an older release may have. */
async function makePackages(dir: string): Promise<void> {
  copyFileSync(await makePackage('x64'), join(dir, 'newer.deb'));
  const { executable, sbom } = built('x64');
  await makeDeb({
    version: OLDER,
    dateSec: 0,
    arch: 'amd64',
    out: join(dir, 'older.deb'),
    compression: 'none',
    executable,
    sbom,
    runnable: executable,
    bundled: [],
  });
  const raw = join(dir, 'raw');
  await sh('dpkg-deb', '-R', join(dir, 'older.deb'), raw);
  const settings = readFileSync(join(raw, SETTINGS), 'utf8');
  writeFileSync(join(raw, SETTINGS), settings.replace('# Settings of heal-node.', '# Settings.'));
  await sh('dpkg-deb', '--root-owner-group', '-Znone', '--build', raw, join(dir, 'older.deb'));
  copyFileSync(executable, join(dir, 'heal-node'));
}

/** Tells all steps on machines of one release. @returns whether all came out as they must */
async function tell(suite: Suite, dir: string): Promise<boolean> {
  const bed = await Bed.boot({ suite, bare: true, image: notAtFirstBoot, tell: console.log });
  const shared = '/srv/nodes/packages';
  mkdirSync(join(bed.slot.dir, 'nodes/packages'));
  for (const name of NAMES) copyFileSync(join(dir, name), join(bed.slot.dir, 'nodes/packages', name));
  const scene: Scene = {
    bed,
    older: `${shared}/older.deb`,
    newer: `${shared}/newer.deb`,
    executable: `${shared}/heal-node`,
    versions: { older: debianVersion(OLDER), newer: debianVersion(version) },
    runs: new Map(),
  };
  try {
    const [systemd] = (await bed.machine(1).sh('systemctl --version')).split('\n');
    console.log(`\n${suite}: ${systemd}`);
    await Promise.all(bed.machines.map((each) => each.sh('/opt/app/bin/ctl.sh start')));
    await noteRuns(scene);
    for (const { what, does } of steps) {
      const beganMs = Date.now();
      const came = await does(scene).catch((error: Error) => {
        throw new Error(`${what}: ${error.message}`);
      });
      console.log(`  ok  ${what} (${((Date.now() - beganMs) / 1000).toFixed(1)} s): ${came}`);
    }
    return true;
  } catch (error) {
    console.log(`  FAILED  ${(error as Error).message}`);
    for (const machine of bed.machines) console.log(await machineLogs(machine));
    return false;
  } finally {
    await bed.down();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });
  const asked = suites.filter((suite) => values.only?.includes(suite) ?? true);
  if (asked.length < (values.only?.length ?? 0)) {
    console.error(
      `package:try: --only ${values.only?.join(' ')} is not allowed; allowed is ${suites.join(', ')}.`,
    );
    return 2;
  }
  const dir = mkdtempSync(join(tmpdir(), 'heal-node-packages-'));
  const failed: Suite[] = [];
  try {
    await sweepLeftovers();
    await makePackages(dir);
    for (const suite of asked) if (!(await tell(suite, dir))) failed.push(suite);
  } finally {
    rmSync(dir, { recursive: true });
  }
  console.log(`\n${asked.length - failed.length} releases as expected, ${failed.length} otherwise`);
  return failed.length === 0 ? 0 : 1;
}

process.exit(await main());
