import { cutEverywhere, oneWay } from './cut-everywhere.ts';

cutEverywhere(1, 16, oneWay);
