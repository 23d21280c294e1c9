/** Templates that are imported as text (`with { type: 'text' }`), as the bundler understands it. */
declare module '*.sh' {
  const text: string;
  export default text;
}
