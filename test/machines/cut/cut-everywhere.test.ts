import { cutEverywhere, WAYS } from './cut-everywhere.ts';

// All ways after every effect are a quarter of an hour (`npm run cuts`); here each effect has its turn with one.
cutEverywhere('a heal is cut off after every effect', (effect) => [WAYS[effect % 3] ?? 'killed']);
