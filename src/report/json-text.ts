/** A value as JSON text, its 64-bit numbers as texts. */
export const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(
    value,
    (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner),
    indent,
  );
