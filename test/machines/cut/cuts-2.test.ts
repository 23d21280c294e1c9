import { cutEverywhere, oneWay } from './cut-everywhere.ts';

cutEverywhere(1, 12, oneWay);
