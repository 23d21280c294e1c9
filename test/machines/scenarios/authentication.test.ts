import { scenario } from '../bed/scenario.ts';
import { credentialsMissing, walDamaged } from '../kinds/failures.ts';
import { authentication } from '../kinds/kinds.ts';
import { rows } from '../kinds/rows.ts';
import { tellRow } from '../kinds/tell-row.ts';

scenario(
  'with authentication on, a member is healed with its credentials, and without them refused before anything is touched',
  { ...authentication.options, created: false },
  async ({ bed, machines }) => {
    await authentication.found?.(bed);
    for (const each of machines) await each.hook('health-action');
    for (const failure of [walDamaged, credentialsMissing]) {
      const row = rows.find((one) => one.kind === authentication && one.failure === failure);
      if (row === undefined) throw new Error(`the table has no row of ${failure.name}`);
      await tellRow(row, { bed, members: machines, listed: machines.length });
    }
  },
);
