import type { World } from '../../observe/world.ts';
import type { Log } from '../../report/log.ts';
import type { HealRecord } from '../../state/heal-record.ts';
/**
 * The calls of both seams that are written down, as a person would have typed them: all that change something, or stop
 * the members' writes for a moment (hashKv). Paths, names and IDs, never what stands in a file. Those without a text are
 * linearizable reads, of which the longest counts.
 */
import typed from './typed.json';

type Call = (...words: unknown[]) => Promise<unknown>;

/** `{0}` is the first word of a call; of a list all, with commas in between where `{0,}` says so. */
const filledIn = (text: string, words: readonly unknown[]): string =>
  text.replace(/\{(\d)(,?)\}/g, (_, n, comma) => [words[Number(n)]].flat().join(comma || ' '));

/**
 * The world of a heal. What changes it is written into the log's file as it happens, for the report, and the longest
 * answer of the others into the record. Nothing is waited for, and nothing else is done.
 */
export function recordedWorld(world: World, log: Log, record: HealRecord): World {
  const { machine, places } = world;
  const recorded = async (text: string, call: Call, words: readonly unknown[]): Promise<unknown> => {
    const [at, beganMs] = [new Date(machine.now()).toISOString(), machine.monotonicMs()];
    const command = filledIn(text, words);
    let result = 'done';
    try {
      const value = await call(...words);
      if (typeof value === 'number') result = `exit ${value}`;
      return value;
    } catch (error) {
      result = (error as Error).message.replace(`${command}: `, '');
      throw error;
    } finally {
      const durationMs = Math.round(machine.monotonicMs() - beganMs);
      const first = String(words[0]);
      const longest = durationMs > (record.longestRead?.tookMs ?? 0) && record.servedBefore.includes(first);
      if (command === '' && longest) record.longestRead = { endpoint: first, at, tookMs: durationMs };
      // The journal is written at both ends of every step.
      const made = { event: 'command', healId: record.id, command, at, durationMs, result };
      if (command !== '' && first !== places.journal) log.debug?.(made, `${command}: ${result}`);
    }
  };
  const through = <S extends object>(seam: S): S => {
    const calls = Object.entries(typed).filter(([name]) => name in seam);
    const each = calls.map(([name, text]) => {
      const call = seam[name as keyof S] as Call;
      return [name, (...words: unknown[]) => recorded(text, call, words)] as const;
    });
    return { ...seam, ...Object.fromEntries(each) };
  };
  return { ...world, machine: through(machine), cluster: (tls) => through(world.cluster(tls)) };
}
