/** `@postern/server/console`: the console for a process of one's own. */

export type { ConsoleSetup } from './console/console-setup.ts'
export { eraseKeptTraffic } from './console/erase-kept-traffic.ts'
export { openConsole, type RunningConsole } from './console/open-console.ts'
