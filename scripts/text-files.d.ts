/** Files that the build takes in as texts. */
declare module '*.service' {
  const text: string;
  export default text;
}
declare module '*.conf' {
  const text: string;
  export default text;
}
