import { cutEverywhere, oneWay } from './cut-everywhere.ts';

cutEverywhere(0, 16, oneWay);
