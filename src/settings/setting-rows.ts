import texts from './setting-texts.json';
import { type SettingRow, settingsTable } from './settings-table.ts';

const rows: readonly SettingRow<unknown>[] = Object.values(settingsTable);

/** The settings, each with one sentence for people that says what it is. */
export const settingRows = rows.map((row) => ({ ...row, what: texts[row.key] }));
