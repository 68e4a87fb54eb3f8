import type { ConfigIssue } from '@postern/core'
import type * as z from 'zod/mini'
import type { ConfigFile, ConfigPath } from '../file/config-file.ts'
import { nodesAt, type SchemaNode } from '../table/json-schema.ts'
import { configTable } from '../table/table.ts'
import { suggest, suggestByStart } from '../words/suggest.ts'
import { wordOfOthers } from '../words/words-of-others.ts'
import { elsewhere, insteadOf, ROUTE } from './elsewhere.ts'
import { exampleHint } from './example-hint.ts'
import { meantValue } from './meant-value.ts'
import { sizeProblem } from './size-problem.ts'
import { unionIssue } from './union-issue.ts'
import { describe, kindName, listed } from './value-kind.ts'
import { valueOfOthers } from './value-of-others.ts'

/** Every mistake zod found, in our words: place, problem, hint, with the key that was probably meant. */
export function configIssues(file: ConfigFile, issues: readonly z.core.$ZodIssue[]): readonly ConfigIssue[] {
  const all = issues.flatMap(issue => translate(file, issue, []))
  return all
    .filter(mistake => !all.some(other => explains(other, mistake)))
    .map(({ path, problem, hint }) => ({
      place: file.place(path),
      problem,
      ...(hint !== undefined && { hint }),
    }))
}

/** A mistake, before what follows from another one is left out. */
interface Mistake {
  readonly path: ConfigPath
  readonly problem: string
  readonly hint?: string | undefined
  /** A place that something is missing from, or that is empty, because of this mistake. */
  readonly explains?: ConfigPath | undefined
  /** Of a key with nothing behind it. */
  readonly isEmpty?: boolean
  /** Of a rule over several keys of an object. */
  readonly isRule?: boolean
}

const MISSING = 'is missing'

/**
 * A mistyped key is one mistake: the right one is not missing besides, and rules about the object around it
 * are checked again when it is corrected. Nor is a key empty besides whose content is not indented below it.
 */
function explains(typo: Mistake, mistake: Mistake): boolean {
  if (typo.explains === undefined) return false
  if (mistake.isRule === true) return samePath(mistake.path, typo.path.slice(0, -1))
  const isGone = mistake.problem.startsWith(MISSING) || mistake.isEmpty === true
  return isGone && samePath(mistake.path, typo.explains)
}

function samePath(one: ConfigPath, other: ConfigPath): boolean {
  return one.length === other.length && one.every((part, index) => part === other[index])
}

function translate(file: ConfigFile, issue: z.core.$ZodIssue, around: ConfigPath): readonly Mistake[] {
  const path = [...around, ...issue.path.map(part => (typeof part === 'symbol' ? String(part) : part))]
  const found = valueAt(file.value, path)
  const nodes = nodesAt(path)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(key => unknownKey([...path, key], key, nodes))
    case 'invalid_key': {
      const outside = notIndented(path, file.value)
      return outside === undefined ? issue.issues.flatMap(inner => translate(file, inner, path)) : [outside]
    }
    case 'invalid_element':
      return issue.issues.flatMap(inner => translate(file, inner, path))
    case 'invalid_union': {
      const answer = unionIssue(issue, found, nodes)
      return answer.kind === 'inside'
        ? answer.issues.flatMap(inner => translate(file, inner, path))
        : [hinted({ path, problem: answer.problem, hint: answer.hint }, found, nodes)]
    }
    default:
      return [hinted({ path, ...problemOf(issue, found, nodes) }, found, nodes)]
  }
}

/** What is wrong with a value that has one form. */
function problemOf(
  issue: z.core.$ZodIssue,
  found: unknown,
  nodes: readonly SchemaNode[],
): Omit<Mistake, 'path'> {
  switch (issue.code) {
    case 'invalid_value':
      return oneOf(found, issue.values)
    case 'invalid_type': {
      const kind = formOf(nodes) ?? kindName(issue.expected)
      return { problem: found === undefined ? `${MISSING}: it must be ${kind}` : notThis(kind, found) }
    }
    case 'too_small':
      return { problem: sizeProblem(issue.origin, 'least', issue.minimum, found) }
    case 'too_big':
      return { problem: sizeProblem(issue.origin, 'most', issue.maximum, found) }
    case 'custom': {
      const hint: unknown = issue.params?.['hint']
      return {
        problem: issue.message,
        hint: typeof hint === 'string' ? hint : undefined,
        isRule: typeof found === 'object' && !Array.isArray(found),
      }
    }
    default:
      return { problem: issue.message }
  }
}

function notThis(kind: string, found: unknown): string {
  return `must be ${kind}, not ${describe(found)}`
}

/** How the table calls values of this place; undefined where it has no words, or several. */
function formOf(nodes: readonly SchemaNode[]): string | undefined {
  const [node, ...more] = nodes
  return more.length === 0 ? node?.form : undefined
}

/**
 * A key that stands beside the name of what it belongs to, with which it should stand one level further in:
 * `throttle` beside a route.
 */
function notIndented(path: ConfigPath, value: unknown): Mistake | undefined {
  const key = String(path.at(-1))
  const around = path.slice(0, -1)
  if (!nodesAt(path).some(({ properties }) => properties?.[key] !== undefined)) return undefined
  const [empty] = Object.entries(valueAt(value, around) ?? {}).find(([, inner]) => inner === null) ?? []
  return {
    path,
    problem: `"${key}" is not indented enough: it belongs to one of ${around.join('.')}`,
    hint: `indent it below ${empty === undefined ? 'its name' : JSON.stringify(empty)}`,
    explains: empty === undefined ? undefined : [...around, empty],
  }
}

/** A mistake with a hint: its own, else the example that the table has for the place. */
function hinted(mistake: Mistake, found: unknown, nodes: readonly SchemaNode[]): Mistake {
  const { path } = mistake
  if (path.length === 0)
    return { ...mistake, hint: 'write a key, a colon, a blank and its value, e.g. mode: observe' }
  const meant = meantValue(found, nodes, isSwitch(path, nodes)) ?? valueOfOthers(path, found) ?? mistake.hint
  const example = exampleHint(nodes)
  const empty = nodes.find(({ emptyMeans }) => emptyMeans !== undefined)?.emptyMeans
  const hint = meant ?? (empty === undefined ? example : `write {} for ${empty}, or ${example}`)
  // In YAML, a key with nothing behind it.
  if (found !== null) return { ...mistake, hint }
  const part = typeof path.at(-1) === 'number' ? 'entry' : 'key'
  return {
    ...mistake,
    hint: `write a value or remove the ${part}${hint === undefined ? '' : `; ${hint}`}`,
    isEmpty: true,
  }
}

/** Whether an empty object at a place switches something on. */
function isSwitch(path: ConfigPath, nodes: readonly SchemaNode[]): boolean {
  if (path.length > 1 && !nodes.some(node => node.const === false)) return false
  const { success } = configTable.safeParse(
    path.reduceRight<unknown>((inner, part) => (typeof part === 'number' ? [inner] : { [part]: inner }), {}),
  )
  return success
}

function unknownKey(path: ConfigPath, key: string, nodes: readonly SchemaNode[]): Mistake {
  const known = [...new Set(nodes.flatMap(node => Object.keys(node.properties ?? {})))]
  const other = elsewhere(key, known, path.at(-2))
  const meant =
    insteadOf(key, path.at(-2)) === undefined
      ? (suggest(key, known) ?? (other === undefined ? suggestByStart(key, known) : undefined))
      : undefined
  if (meant === key) {
    const form = nodes.find(({ properties }) => properties?.[key] !== undefined)?.properties ?? {}
    return {
      path,
      problem: 'does not go with what stands beside it',
      hint: `write { ${Object.keys(form).join(', ')} }`,
    }
  }
  if (meant !== undefined)
    return {
      path,
      problem: `unknown key "${key.slice(0, 60)}"`,
      hint: `did you mean "${meant}"?`,
      explains: [...path.slice(0, -1), meant],
    }
  if (other !== undefined) {
    const explains = ROUTE.test(key) ? [...path.slice(0, -1), 'routes'] : path
    return { path, problem: `"${key.slice(0, 60)}" is not a key of this place`, hint: other, explains }
  }
  const hint = known.length === 0 ? 'remove it' : `known here: ${known.join(', ')}`
  return { path, problem: `unknown key "${key.slice(0, 60)}"`, hint }
}

function oneOf(found: unknown, values: readonly unknown[]): Omit<Mistake, 'path'> {
  const words = values.map(String)
  const meant = typeof found === 'string' ? (wordOfOthers(found, words) ?? suggest(found, words)) : undefined
  return {
    problem: notThis(listed(values.map(value => JSON.stringify(value))), found),
    hint: meant === undefined ? undefined : `did you mean "${meant}"?`,
  }
}

function valueAt(value: unknown, path: ConfigPath): unknown {
  let at = value
  for (const part of path)
    at =
      typeof at === 'object' && at !== null
        ? (at as Readonly<Record<string | number, unknown>>)[part]
        : undefined
  return at
}
