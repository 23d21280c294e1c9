import { run } from '../os/run.ts';
import type { UnitFacts } from './systemctl.ts';

/**
 * The last lines, as many as a crash with all its goroutines may print, that a unit's newest run has logged in
 * this boot. Of more than `run` keeps (4 MiB) the beginning is read: the reason stands before the goroutines.
 *
 * They are found by invocation ID, and by the PID of its main process too: journald may meet a line only after
 * the process is gone, and then does not know its unit any more. Before systemd 232 there is no invocation ID;
 * the PID and the time of the start stand in for it.
 * @throws when journalctl fails.
 */
export async function journalOf(unit: UnitFacts, maxLines = 4000): Promise<string[]> {
  const pid = unit.mainPid || unit.exitPid;
  if (unit.invocationId === '' && pid === 0) return [];
  const match = [
    ...(unit.invocationId === '' ? [] : [`_SYSTEMD_INVOCATION_ID=${unit.invocationId}`]),
    ...(pid === 0 ? [] : [`_PID=${pid}`]),
  ].flatMap((field, index) => (index === 0 ? [field] : ['+', field]));
  const since = unit.startedAtSec === 0 ? [] : [`--since=@${unit.startedAtSec}`];
  const argv = [
    'journalctl',
    '--boot',
    '--no-pager',
    '--output=cat',
    `--lines=${maxLines}`,
    ...since,
    ...match,
  ];
  const result = await run(argv, { timeoutMs: 2000 });
  if (result.code !== 0 && !result.tooMuch)
    throw new Error(`journalctl: ${result.timedOut ? 'no answer in 2 s' : result.stderr}`);
  return result.stdout === '' ? [] : result.stdout.split('\n');
}
