import { cutEverywhere, oneWay } from './cut-everywhere.ts';

cutEverywhere(2, 3, oneWay);
