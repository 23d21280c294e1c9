import { boots } from './boots.ts';
import { checksHttp, checksTls } from './checks.ts';
import { dataKeys, dataValues } from './data.ts';
import { diagnose } from './diagnoses.ts';
import { growthKeys, growthLatency, growthMembers } from './growth.ts';
import { heals } from './heal-part.ts';
import { hour } from './hour.ts';
import type { Part } from './part.ts';
import { writes } from './writes.ts';

/** All parts of the bench, in the order of the table. */
export const parts: readonly Part[] = [
  checksHttp,
  checksTls,
  heals,
  boots,
  diagnose,
  writes,
  dataValues,
  dataKeys,
  growthMembers,
  growthKeys,
  growthLatency,
  hour,
];
