declare module 'virtual:places' {
  const lines: string;
  export default lines;
}
