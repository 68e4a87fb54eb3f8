import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './workspace.ts'

/** So many files share a process: enough to spare most starts, few enough to find what one did to another. */
const MOST_TOGETHER = 10

/**
 * Packages whose tests start the command line, browsers and applications for up to a minute each: the process
 * is little of what they cost.
 */
const ALONE = /^(?:packages\/cli|scripts|test)\//

/**
 * What changes or measures the whole process: its environment, signals and flags, globals and clocks, its
 * memory and processor time. Hooks at the left edge would run for the tests of other files as well.
 */
const OF_PROCESS = new RegExp(
  [
    String.raw`process\.env(?:\.\w+|\[[^\]]+\])? =[^=]`,
    String.raw`delete process\.env`,
    String.raw`process\.(?:on|once|off|emit|exit|exitCode|chdir|kill|abort|umask|argv|execArgv|stdout|stderr|stdin|memoryUsage|cpuUsage|hrtime|title|set\w+)\b`,
    String.raw`\bmock\b`,
    'globalThis',
    String.raw`\bgc\(`,
    String.raw`\bregister(?:Hooks)?\(`,
    "from 'node:(?:v8|vm|inspector|async_hooks|cluster|perf_hooks|worker_threads)'",
    'playwright',
    String.raw`\bfork\(`,
    String.raw`^(?:before|beforeEach|afterEach)\(`,
    String.raw`^\s*(?:Object|Array|Function|Date|Math|JSON|Promise|Buffer|String|RegExp|console)(?:\.prototype)?\.\w+ =[^=]`,
  ].join('|'),
  'm',
)
/** Runs before the tests, or when one runs without `npm test`. */
const SERVERS = 'test/services.ts'
const LOCAL_IMPORT = /(?:from|import) '(\.[^']+\.ts)'/g

/**
 * The test files in groups: each group runs in one process. Most of what a short test costs is the start of
 * its process. Only files of one package share one, and only those that, with the helpers they import,
 * leave alone what belongs to the whole process.
 * @param files paths below `base`, in the order in which they should run
 * @param base default: the root of the repository
 */
export function groupsOf(files: readonly string[], base: string = root): readonly (readonly string[])[] {
  const groups: string[][] = []
  const open = new Map<string, string[]>()
  for (const file of files) {
    const [folder = '', name = ''] = file.split('/')
    const key = `${folder}/${name}`
    const group = open.get(key)
    if (!canShare(base, file)) groups.push([file])
    else if (group !== undefined && group.length < MOST_TOGETHER) group.push(file)
    else {
      const begun = [file]
      open.set(key, begun)
      groups.push(begun)
    }
  }
  return groups
}

/** Whether a test file leaves alone what belongs to the whole process. */
function canShare(base: string, file: string): boolean {
  return !ALONE.test(file) && [...textsOf(base, file)].every(text => !OF_PROCESS.test(text))
}

/** The text of a test and of the helpers that it imports, directly or not, without sources of packages. */
function textsOf(base: string, file: string): ReadonlySet<string> {
  const seen = new Map<string, string>()
  const add = (path: string): void => {
    if (seen.has(path) || !existsSync(join(base, path))) return
    const text = readFileSync(join(base, path), 'utf8')
    seen.set(path, text)
    for (const [, imported = ''] of text.matchAll(LOCAL_IMPORT)) {
      const next = join(dirname(path), imported)
      if (next !== SERVERS && !next.includes('/src/')) add(next)
    }
  }
  add(file)
  return new Set(seen.values())
}
