/** `PLANTED=INDEX bun --preload test/sim/plant.ts FILE` runs a file with that planted bug in the product. */
import { type PlantedBug, plant, plantedBugs } from './planted.ts';

plant(plantedBugs[Number(process.env.PLANTED)] as PlantedBug);
