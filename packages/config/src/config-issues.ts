import type { ConfigIssue } from '@postern/core'
import type * as z from 'zod'
import type { ConfigFile, ConfigPath } from './config-file.ts'
import { elsewhere } from './elsewhere.ts'
import { exampleHint } from './example-hint.ts'
import { annotatedSchema, type SchemaNode } from './json-schema.ts'
import { suggest } from './suggest.ts'
import { unionIssue } from './union-issue.ts'
import { describe, kindName } from './value-kind.ts'
import { wordOfOthers } from './words-of-others.ts'

/** Every mistake zod found, in our words: place, problem, hint, with the key that was probably meant. */
export function configIssues(file: ConfigFile, issues: readonly z.core.$ZodIssue[]): readonly ConfigIssue[] {
  const all = issues.flatMap(issue => translate(file, issue, []))
  // A mistyped key is one mistake: the right one is not missing besides.
  const meant = new Set(all.map(({ hint }) => hint))
  return all.filter(
    ({ place, problem }) =>
      !problem.startsWith(MISSING) || !meant.has(didYouMean(place.split('.').at(-1) ?? '')),
  )
}

function translate(file: ConfigFile, issue: z.core.$ZodIssue, around: ConfigPath): readonly ConfigIssue[] {
  const path = [...around, ...issue.path.map(part => (typeof part === 'symbol' ? String(part) : part))]
  const place = file.place(path)
  const found = valueAt(file.value, path)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(key => unknownKey(file, [...path, key], key, keysAt(path)))
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap(inner => translate(file, inner, path))
    case 'invalid_union': {
      const answer = unionIssue(issue, found, nodesAt(path))
      return answer.kind === 'inside'
        ? answer.issues.flatMap(inner => translate(file, inner, path))
        : [{ place, ...answer.issue }]
    }
    case 'invalid_value':
      return [oneOf(place, found, issue.values)]
    case 'invalid_type':
      return [
        found === undefined
          ? { place, problem: `${MISSING}: it must be ${kindName(issue.expected)}` }
          : {
              place,
              problem: `must be ${kindName(issue.expected)}, not ${describe(found)}`,
              ...exampleHint(found, nodesAt(path)),
            },
      ]
    case 'too_small':
      return [{ place, problem: `must be at least ${issue.minimum}` }]
    case 'too_big':
      return [{ place, problem: `must be at most ${issue.maximum}` }]
    case 'custom': {
      const hint: unknown = issue.params?.['hint']
      return [{ place, problem: issue.message, ...(typeof hint === 'string' && { hint }) }]
    }
    default:
      return [{ place, problem: issue.message }]
  }
}

const MISSING = 'is missing'

function didYouMean(name: string): string {
  return `did you mean "${name}"?`
}

function unknownKey(file: ConfigFile, path: ConfigPath, key: string, known: readonly string[]): ConfigIssue {
  const place = file.place(path)
  const meant = suggest(key, known)
  const other = elsewhere(key)
  if (other !== undefined && meant === undefined)
    return { place, problem: `"${key}" is not a key of this place`, hint: other }
  const listed = known.length === 0 ? 'remove it' : `known here: ${known.join(', ')}`
  return {
    place,
    problem: `unknown key "${key.slice(0, 60)}"`,
    hint: meant === undefined ? listed : didYouMean(meant),
  }
}

function oneOf(place: string, found: unknown, values: readonly unknown[]): ConfigIssue {
  const words = values.map(String)
  const meant = typeof found === 'string' ? (wordOfOthers(found, words) ?? suggest(found, words)) : undefined
  return {
    place,
    problem: `must be ${values.map(value => JSON.stringify(value)).join(' or ')}, not ${describe(found)}`,
    ...(meant !== undefined && { hint: didYouMean(meant) }),
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

/** Every form that the table knows for a place. */
function nodesAt(path: ConfigPath): readonly SchemaNode[] {
  let nodes = branches(annotatedSchema())
  for (const part of path) {
    nodes = nodes.flatMap(node => {
      const next =
        typeof part === 'number' ? node.items : (node.properties?.[part] ?? node.additionalProperties)
      return typeof next === 'object' ? branches(next) : []
    })
  }
  return nodes
}

function keysAt(path: ConfigPath): readonly string[] {
  return [...new Set(nodesAt(path).flatMap(node => Object.keys(node.properties ?? {})))]
}

function branches(node: SchemaNode): readonly SchemaNode[] {
  if (node.anyOf === undefined || node.form !== undefined) return [node]
  const { example } = node
  const inner = node.anyOf.flatMap(branches)
  return example === undefined ? inner : inner.map(branch => ({ example, ...branch }))
}
