import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GATE_DROP_IN } from '../../../src/state/places.ts';
import type { Bed } from './bed.ts';
import type { Ran, TestMachine } from './machine.ts';
import { idOf } from './world.ts';

const GATE = `/etc/systemd/system/etcd.service.d/${GATE_DROP_IN}`;

/** Gigabytes have to arrive. */
const LONGEST_MS = 900_000;

/** Runs the bare runbook on a node whose member is stale: scripted, with every answer known, and without our gate. */
export async function runBareRunbook(
  bed: Bed,
  bad: TestMachine,
): Promise<Ran & { readonly wholeMs: number }> {
  const others = bed.machines.filter((machine) => machine !== bad);
  const oldId = await idOf(bed, others[0] ?? bad, bad);
  const script = readFileSync(join(import.meta.dirname, 'runbook.sh'), 'utf8');
  // It reloads systemd itself.
  await bad.sh(`mv ${GATE} /root/`);
  const beganMs = Date.now();
  const words = [
    oldId,
    bad.name,
    `http://${bad.ip}:2380`,
    bad.endpoint,
    others.map(({ endpoint }) => endpoint).join(','),
  ];
  const ran = await bad.runFor(LONGEST_MS, 'bash', '-c', script, 'runbook', ...words);
  const wholeMs = Date.now() - beganMs;
  await bad.sh(`mv /root/${GATE_DROP_IN} ${GATE}; systemctl daemon-reload`);
  if (ran.code !== 0) throw new Error(`the runbook failed: ${ran.stdout} ${ran.stderr}`);
  return { ...ran, wholeMs };
}
