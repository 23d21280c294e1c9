import * as v from 'valibot';
import { type Machine, ROOT_ONLY_FILE } from '../node/machine.ts';

const schema = v.object({
  atMs: v.number(),
  /** Whose data were compared. */
  memberId: v.string(),
  state: v.picklist(['equal', 'differs', 'unknown']),
  /** It differed twice, this member alone against all others in agreement. */
  confirmed: v.boolean(),
  text: v.string(),
});

export type DeepCheckResult = v.InferOutput<typeof schema>;

/** What the last deep check found; undefined when there was none, or its file cannot be read. */
export async function readDeepCheck(machine: Machine, path: string): Promise<DeepCheckResult | undefined> {
  try {
    const file = await machine.readFile(path);
    return file && v.parse(schema, JSON.parse(file.text));
  } catch {
    return undefined;
  }
}

/** Its time of change is when the next one is due (hooks/health-check.ts). */
export const writeDeepCheck = (machine: Machine, path: string, result: DeepCheckResult): Promise<void> =>
  machine.writeFile(path, `${JSON.stringify(result)}\n`, ROOT_ONLY_FILE);
