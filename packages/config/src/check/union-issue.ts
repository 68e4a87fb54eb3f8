import type * as z from 'zod/mini'
import type { SchemaNode } from '../table/json-schema.ts'
import { suggest } from '../words/suggest.ts'
import { wordOfOthers } from '../words/words-of-others.ts'
import { describe, kindName, listed } from './value-kind.ts'

/** What is wrong with a value that may have one of several forms. */
export type UnionAnswer =
  /** The form is clear, and something inside it is wrong. */
  | { readonly kind: 'inside'; readonly issues: readonly z.core.$ZodIssue[] }
  /** It is none of the forms. */
  | { readonly kind: 'none'; readonly problem: string; readonly hint?: string | undefined }

/**
 * Says what is wrong with a value that fits no branch of a union: what is wrong inside the object that was
 * meant, else every allowed form, and the word that was probably meant.
 * @param nodes the forms that the table knows for this place
 */
export function unionIssue(
  issue: z.core.$ZodIssueInvalidUnion,
  found: unknown,
  nodes: readonly SchemaNode[],
): UnionAnswer {
  const branches = issue.errors.flatMap(flatten)
  const inside = branches
    .filter(branch => branch.some(one => isInside(one, typeof found === 'object')))
    .sort((one, other) => misfit(one) - misfit(other))[0]
  if (inside !== undefined) return { kind: 'inside', issues: withoutMissing(inside, found) }
  const all = listed([...new Set(nodes.flatMap(formsOf))])
  const spoken = branches
    .flat()
    .find(inner => inner.code === 'custom' && inner.params?.['hint'] !== undefined)
  if (spoken?.code === 'custom' && typeof found !== 'object')
    return {
      kind: 'none',
      problem: spoken.message,
      hint: `${String(spoken.params?.['hint'])}; allowed: ${all}`,
    }
  if (found === undefined) return { kind: 'none', problem: `is missing: it must be ${all}` }
  const words = nodes.flatMap(node => [node.const, ...(node.enum ?? [])]).filter(isText)
  const meant = typeof found === 'string' ? (wordOfOthers(found, words) ?? suggest(found, words)) : undefined
  return {
    kind: 'none',
    problem: `must be ${all}, not ${describe(found)}`,
    hint: meant === undefined ? undefined : `did you mean "${meant}"?`,
  }
}

/** Unions inside unions are one list of branches. */
function flatten(branch: readonly z.core.$ZodIssue[]): readonly (readonly z.core.$ZodIssue[])[] {
  const [only] = branch
  return branch.length === 1 && only?.code === 'invalid_union' && only.path.length === 0
    ? only.errors.flatMap(flatten)
    : [branch]
}

function isInside(issue: z.core.$ZodIssue, isObject: boolean): boolean {
  const isRefused = issue.code === 'custom' && issue.params !== undefined && isObject
  return issue.path.length > 0 || issue.code === 'unrecognized_keys' || isRefused
}

/** Beside an unknown key it is not clear that this form was meant, so that nothing of it is missing. */
function withoutMissing(branch: readonly z.core.$ZodIssue[], found: unknown): readonly z.core.$ZodIssue[] {
  if (!branch.some(({ code }) => code === 'unrecognized_keys')) return branch
  return branch.filter(({ code, path: [part] }) => code === 'unrecognized_keys' || hasPart(found, part))
}

function hasPart(found: unknown, part: PropertyKey | undefined): boolean {
  return typeof found === 'object' && found !== null && part !== undefined && Object.hasOwn(found, part)
}

/** An unknown key speaks against a form more than a wrong value does. */
function misfit(branch: readonly z.core.$ZodIssue[]): number {
  return branch.reduce(
    (sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 2 * issue.keys.length : 1),
    0,
  )
}

function formsOf(node: SchemaNode): readonly string[] {
  if (node.form !== undefined) return [node.form]
  if (node.const !== undefined) return [JSON.stringify(node.const)]
  if (node.enum !== undefined) return node.enum.map(value => JSON.stringify(value))
  if (node.properties !== undefined) return [`{ ${Object.keys(node.properties).join(', ')} }`]
  return typeof node.type === 'string' ? [kindName(node.type)] : []
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
