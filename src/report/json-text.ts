const bigintAsText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value);

/** A value as JSON text, its 64-bit numbers as texts. */
export const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, bigintAsText, indent);
