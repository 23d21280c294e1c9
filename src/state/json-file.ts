import * as v from 'valibot';
import { type Machine, ROOT_ONLY_FILE } from '../machine/machine.ts';

/** One kind of JSON file of our own: read with its schema, written whole and root's alone. */
export interface JsonFile<T> {
  /** Undefined when there is none, or none that fits the schema: torn, planted, or of another version. */
  read(machine: Machine, path: string): Promise<T | undefined>;
  /** @throws with the path when it cannot be written; the old file stays. */
  write(machine: Machine, path: string, value: T): Promise<void>;
}

export const jsonFile = <S extends v.GenericSchema>(
  schema: S,
  maxBytes = 1 << 20,
): JsonFile<v.InferOutput<S>> => ({
  read: async (machine, path) => {
    try {
      const file = await machine.readFile(path, maxBytes);
      return file && v.parse(schema, JSON.parse(file.text));
    } catch {
      return undefined;
    }
  },
  write: (machine, path, value) => machine.writeFile(path, `${JSON.stringify(value)}\n`, ROOT_ONLY_FILE),
});
