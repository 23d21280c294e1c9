import * as v from 'valibot';
import { attempt } from '../machine/attempt.ts';
import { type Machine, ROOT_ONLY_FILE } from '../machine/machine.ts';

/** One kind of JSON file of our own: read with its schema, written whole and root's alone. */
export const jsonFile = <S extends v.GenericSchema>(schema: S) => ({
  /** Undefined when there is none, or none that fits the schema: torn, planted, or of another version. */
  read: async (machine: Machine, path: string): Promise<v.InferOutput<S> | undefined> => {
    const file = await machine.readFile(path).catch(() => undefined);
    return file && attempt(() => v.parse(schema, JSON.parse(file.text)));
  },
  /** @throws with the path when it cannot be written; the old file stays. */
  write: (machine: Machine, path: string, value: v.InferOutput<S>): Promise<void> =>
    machine.writeFile(path, `${JSON.stringify(value)}\n`, ROOT_ONLY_FILE),
});
