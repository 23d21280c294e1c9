import { corpus } from './corpus.ts';

corpus(2, 3);
