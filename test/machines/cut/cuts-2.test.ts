import { cutEverywhere, oneWay } from './cut-everywhere.ts';

cutEverywhere(1, 8, oneWay);
