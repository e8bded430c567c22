// What the bundler makes of a shader: its text.
declare module '*.wgsl?raw' {
  const source: string;
  export default source;
}
