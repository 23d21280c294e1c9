/** Templates that are imported as text (`with { type: 'text' }`), as the bundler understands it. */
declare module '*.sh' {
  const text: string;
  export default text;
}
declare module '*.service' {
  const text: string;
  export default text;
}
declare module '*.conf' {
  const text: string;
  export default text;
}
declare module '*.fish' {
  const text: string;
  export default text;
}
