import { ConfigError, type ConfigIssue } from '@postern/core'
import type { PosternOptions } from './options.ts'

type Name = keyof PosternOptions
type Check = (value: unknown) => string | undefined

const VERBOSITIES: readonly unknown[] = ['none', 'start', 'refusals']
const isText: Check = value =>
  typeof value === 'string' ? undefined : `must be a path, not ${kindOf(value)}`
const isList: Check = value => (Array.isArray(value) ? undefined : `must be a list, not ${kindOf(value)}`)

const NAMES_A_FILE = 'to name a file: postern({ file: "..." })'
/** What other libraries call the option that names the file of their configuration. */
const FILE_OPTION = /^(?:config(?:uration)?)?_?(?:file|path)(?:_?name|_?path)?$/i

/** What each option must be; `undefined` where the configuration checks it. */
const OPTIONS: Readonly<Record<Name, Check | undefined>> = {
  config: value =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? undefined
      : `must be the configuration itself, not ${kindOf(value)}`,
  file: isText,
  folder: isText,
  log: value =>
    VERBOSITIES.includes(value) ? undefined : `must be "none", "start" or "refusals", not ${kindOf(value)}`,
  onLine: value =>
    typeof value === 'function' ? undefined : `must be a function that takes a line, not ${kindOf(value)}`,
  identify: undefined,
  guards: isList,
  detectors: isList,
  onEvent: undefined,
}

/**
 * Refuses options that would have no effect: in JavaScript nothing else says that
 * `postern({ mode: 'observe' })` goes on blocking.
 * @param suggest the known name that a mistyped one was meant to be
 * @throws ConfigError with every mistake
 */
export function checkOptions(
  options: unknown,
  suggest: (typed: string, known: readonly string[]) => string | undefined,
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new ConfigError({
      place: 'postern()',
      problem: `takes an object of options, not ${kindOf(options)}`,
      hint: typeof options === 'string' ? NAMES_A_FILE : 'or nothing',
    })
  if ('socket' in options && 'headers' in options)
    throw new ConfigError({
      place: 'postern()',
      problem: 'was handed over without being called',
      hint: 'app.use((await postern()).express())',
    })
  const issues = Object.entries(options).flatMap(([name, value]): readonly ConfigIssue[] => {
    if (!Object.hasOwn(OPTIONS, name)) return [unknownOption(name, suggest)]
    const problem = value === undefined ? undefined : OPTIONS[name as Name]?.(value)
    if (problem === undefined) return []
    const isPath = name === 'config' && typeof value === 'string'
    return [{ place: `postern(): ${name}`, problem, ...(isPath && { hint: NAMES_A_FILE }) }]
  })
  if (issues.length > 0) throw new ConfigError(issues)
}

function unknownOption(
  name: string,
  suggest: (typed: string, known: readonly string[]) => string | undefined,
): ConfigIssue {
  const shown = name.slice(0, 60)
  const meant = suggest(name, Object.keys(OPTIONS))
  return {
    place: 'postern()',
    problem: `has no option "${shown}"`,
    hint: FILE_OPTION.test(name)
      ? NAMES_A_FILE
      : meant === undefined
        ? `the configuration goes into config: postern({ config: { ${shown}: ... } })`
        : `did you mean "${meant}"?`,
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean' || typeof value === 'number') return String(value)
  if (typeof value === 'string') return `"${value.slice(0, 60)}"`
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
