import { healsUnderLoad } from './load.ts';

// `npm run load` does fifty.
healsUnderLoad(2);
