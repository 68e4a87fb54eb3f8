/** `@postern/server/console`: the console for a process of one's own. */
export { type ConsoleSetup, openConsole, type RunningConsole } from './console/open-console.ts'
