/** `@postern/server/console`: the console for a process of one's own. */
export { eraseKeptTraffic } from './console/erase-kept-traffic.ts'
export { type ConsoleSetup, openConsole, type RunningConsole } from './console/open-console.ts'
