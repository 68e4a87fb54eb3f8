/**
 * The key under which this console keeps something in the browser: several consoles may share an origin, each
 * below a path of its own.
 */
export function ownKey(name: string): string {
  return `postern-console-${name}:${new URL('./', document.baseURI).pathname}`
}
