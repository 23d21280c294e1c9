import { corpus } from './corpus.ts';

corpus(1, 3);
