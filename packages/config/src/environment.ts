import type { ConfigIssue } from '@postern/core'
import type { ConfigFile, ConfigPath } from './config-file.ts'

const REFERENCE = /^\$\{([A-Za-z_]\w*)\}$/
const MAX_DEPTH = 20
/** The application's own objects: kept as they are, for their methods know themselves. */
const CODE: ReadonlySet<unknown> = new Set(['guards', 'detectors'])

/**
 * The configuration with every `${NAME}` replaced by that variable, so that secrets need not stand in the
 * file. Keys that are undefined are absent.
 */
export function fillFromEnvironment(
  file: ConfigFile,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly value: unknown; readonly issues: readonly ConfigIssue[] } {
  const issues: ConfigIssue[] = []
  const variable = (name: string, path: ConfigPath): string => {
    const found = environment[name]
    if (found !== undefined && found !== '') return found
    issues.push({
      place: file.place(path),
      problem: `the environment variable ${name} is not set`,
      hint: `set it where the process starts, e.g. export ${name}=..., or in a file: node --env-file=.env`,
    })
    return ''
  }
  const fill = (value: unknown, path: ConfigPath): unknown => {
    if (path.length === 1 && CODE.has(path[0])) return value
    if (path.length > MAX_DEPTH) {
      issues.push({ place: file.place(path), problem: `is nested deeper than ${MAX_DEPTH} levels` })
      return undefined
    }
    if (typeof value === 'string') {
      const name = REFERENCE.exec(value)?.[1]
      return name === undefined ? value : variable(name, path)
    }
    if (Array.isArray(value)) return value.map((item, index) => fill(item, [...path, index]))
    if (!isPlainObject(value)) return value
    // Such a key would be dropped on the way, and what it says would have no effect.
    if (Object.hasOwn(value, '__proto__'))
      issues.push({
        place: file.place([...path, '__proto__']),
        problem: 'unknown key "__proto__"',
        hint: 'remove it: it names nothing',
      })
    const kept = Object.entries(value).filter(([, item]) => item !== undefined)
    return Object.fromEntries(kept.map(([key, item]) => [key, fill(item, [...path, key])]))
  }
  return { value: fill(file.value, []), issues }
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    [Object.prototype, null].includes(Object.getPrototypeOf(value) as null)
  )
}
