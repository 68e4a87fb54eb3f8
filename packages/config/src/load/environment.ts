import type { ConfigIssue } from '@postern/core'
import type { ConfigFile, ConfigPath } from '../file/config-file.ts'
import { nodesAt } from '../table/json-schema.ts'

const REFERENCE = /^\$\{([A-Za-z_]\w*)\}$/
/** A reference within text, or in a form of shells and of Compose that says more than a name. */
const PART = /\$\{([A-Za-z_]\w*)[^}]*\}/
const MAX_DEPTH = 20
/** Objects whose content is not in their keys. */
const HOLDERS = [Promise, Map, Set] as const
/** The application's own objects: kept as they are, for their methods know themselves. */
const CODE: ReadonlySet<unknown> = new Set(['guards', 'detectors'])

/** A configuration in which references to the environment have been replaced. */
interface FilledConfig {
  readonly value: unknown
  readonly issues: readonly ConfigIssue[]
  /** Where values came from the environment. */
  readonly filled: readonly ConfigPath[]
}

/**
 * The configuration with every `${NAME}` replaced by that variable, so that secrets need not stand in the
 * file. Blanks around such a value are dropped, and keys that are undefined are absent.
 */
export function fillFromEnvironment(
  file: ConfigFile,
  environment: Readonly<Record<string, string | undefined>>,
): FilledConfig {
  const issues: ConfigIssue[] = []
  const filled: ConfigPath[] = []
  const variable = (name: string, path: ConfigPath): string => {
    // A secret from a file often ends with the end of its line, and no value has blanks around it on purpose.
    const found = environment[name]?.trim()
    if (found !== undefined && found !== '') {
      filled.push(path)
      return found
    }
    issues.push({
      place: file.place(path),
      problem: `the environment variable ${name} is ${environment[name] === undefined ? 'not set' : 'empty'}`,
      hint: `set it where the process starts, e.g. export ${name}=..., or in a file: node --env-file=.env`,
    })
    return ''
  }
  const fillText = (value: string, path: ConfigPath): string => {
    const name = REFERENCE.exec(value)?.[1]
    if (name !== undefined) return variable(name, path)
    const part = PART.exec(value)?.[1]
    if (part !== undefined)
      issues.push({
        place: file.place(path),
        problem: `the reference to ${part} is only a part of the text, and would be kept as it is written`,
        hint: `put the whole value into a variable and write \${${part}} alone, without a default`,
      })
    return value
  }
  const fill = (value: unknown, path: ConfigPath): unknown => {
    if (path.length === 1 && CODE.has(path[0])) return value
    if (path.length > MAX_DEPTH) {
      issues.push({ place: file.place(path), problem: `is nested deeper than ${MAX_DEPTH} levels` })
      return undefined
    }
    if (typeof value === 'string') return fillText(value, path)
    const holder = HOLDERS.find(kind => value instanceof kind)
    if (holder !== undefined) {
      // The table would read one as an object without keys, and what it holds would have no effect.
      issues.push({
        place: file.place(path),
        problem: `is a ${holder.name}`,
        hint: holder === Promise ? 'await it' : 'write a plain object or a list',
      })
      return undefined
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
  return { value: fill(file.value, []), issues, filled }
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    [Object.prototype, null].includes(Object.getPrototypeOf(value) as null)
  )
}

/**
 * The same configuration with a variable that stands where the table takes a list read as one, its entries
 * parted by commas or line ends: `trustProxies: ${PROXIES}`. Where a text can stand as well, one without a
 * comma stays a text, and so does one that is right as it is and wrong as a list: the address of a store may
 * have a comma in its password. A variable that is one entry of a list written in the file is put there as
 * several, unless it is right as it is.
 * @param mistakes how many the table finds in a value, or in what stands at a place of it
 */
export function withLists(
  config: FilledConfig,
  mistakes: (value: unknown, place?: ConfigPath) => number,
): FilledConfig {
  let { value } = config
  const filled: ConfigPath[] = []
  // From the last to the first: what is put in moves the entries behind it.
  for (const path of config.filled.toReversed()) {
    const text = path.reduce<unknown>(below, value)
    const index = path.at(-1)
    const around = path.slice(0, -1)
    const list = typeof text === 'string' ? entriesOf(text) : []
    const isEntry = typeof index === 'number'
    // Of a list only the first mistake is reported, so that the entries are tried without those beside them.
    const alone = (entries: readonly unknown[]): number => mistakes(replaced(value, around, entries))
    const isText = (): boolean =>
      mistakes(value, path) === 0 && mistakes(replaced(value, path, list), path) > 0
    const isMeant = isEntry ? list.length > 1 && alone(list) < alone([text]) : isList(path, list) && !isText()
    if (isMeant) {
      value = isEntry ? spliced(value, around, index, list) : replaced(value, path, list)
      if (isEntry) shift(filled, around, index, list.length - 1)
      filled.unshift(...list.map((_, at) => (isEntry ? [...around, index + at] : [...path, at])))
    } else filled.unshift(path)
  }
  return { ...config, value, filled }
}

function entriesOf(text: string): readonly string[] {
  return text
    .split(/[,\r\n]/)
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
}

/** Whether the table takes a list at a place, where these entries are one. */
function isList(path: ConfigPath, { length }: readonly string[]): boolean {
  const nodes = nodesAt(path)
  const lists = nodes.filter(({ type }) => type === 'array')
  return lists.length > 0 && (length > 1 || (length === 1 && lists.length === nodes.length))
}

function spliced(value: unknown, around: ConfigPath, index: number, list: readonly string[]): unknown {
  const whole = around.reduce<unknown>(below, value)
  return Array.isArray(whole) ? replaced(value, around, whole.toSpliced(index, 1, ...list)) : value
}

/** Moves the places of entries that stand behind one that became several. */
function shift(places: ConfigPath[], around: ConfigPath, index: number, by: number): void {
  for (const [at, place] of places.entries()) {
    const own = place[around.length]
    if (typeof own === 'number' && own > index && around.every((part, depth) => place[depth] === part))
      places[at] = place.with(around.length, own + by)
  }
}

/** What YAML reads as a number or a truth value where it stands in the file itself. */
const SCALAR = /^(?:true|false|-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?)$/

/**
 * The same configuration with the numbers and truth values that variables hold, which are text, read as such
 * where the table takes no text: `workers: ${WORKERS}`.
 * @param mistakes how many the table finds in a value
 */
export function withScalars({ value, filled }: FilledConfig, mistakes: (value: unknown) => number): unknown {
  if (filled.length === 0) return value
  let best = { value, mistakes: mistakes(value) }
  for (const path of filled) {
    if (best.mistakes === 0) break
    const text = path.reduce<unknown>(below, best.value)
    if (typeof text !== 'string' || !SCALAR.test(text)) continue
    const changed = replaced(best.value, path, JSON.parse(text))
    const left = mistakes(changed)
    if (left < best.mistakes) best = { value: changed, mistakes: left }
  }
  return best.value
}

function below(value: unknown, part: ConfigPath[number]): unknown {
  return (value as Readonly<Record<ConfigPath[number], unknown>>)[part]
}

function replaced(value: unknown, [part, ...rest]: ConfigPath, other: unknown): unknown {
  if (part === undefined) return other
  const inner = replaced(below(value, part), rest, other)
  if (Array.isArray(value)) return value.with(Number(part), inner)
  return { ...(value as object), [part]: inner }
}
