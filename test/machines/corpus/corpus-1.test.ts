import { corpus } from './corpus.ts';

corpus(0, 3);
