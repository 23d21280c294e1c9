import { Bed, type BedOptions } from '../bed/bed.ts';
import { createCluster, withSettings } from '../bed/scenario.ts';
import { say } from '../demo/lines.ts';

/** Boots a bed as the distribution has it, with a cluster on it that heals when it is told to, and takes it down. */
export async function onBed<T>(options: BedOptions, run: (bed: Bed) => Promise<T>): Promise<T> {
  const image = async (dir: string): Promise<void> => {
    await withSettings('HEAL_AT_BOOT=off')(dir);
    await options.image?.(dir);
  };
  const bed = await Bed.boot({ tell: say, ...options, asShipped: true, image });
  try {
    await createCluster(bed);
    return await run(bed);
  } finally {
    await bed.down();
  }
}
