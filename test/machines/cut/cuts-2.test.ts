import { cutEverywhere, oneWay } from './cut-everywhere.ts';

cutEverywhere(1, 4, oneWay);
