import type { ConfigIssue } from '@postern/core'
import type * as z from 'zod'
import { exampleHint } from './example-hint.ts'
import type { SchemaNode } from './json-schema.ts'
import { suggest } from './suggest.ts'
import { describe, kindName } from './value-kind.ts'
import { wordOfOthers } from './words-of-others.ts'

/** What is wrong with a value that may have one of several forms. */
export type UnionAnswer =
  /** The form is clear, and something inside it is wrong. */
  | { readonly kind: 'inside'; readonly issues: readonly z.core.$ZodIssue[] }
  /** It is none of the forms. */
  | { readonly kind: 'none'; readonly issue: Omit<ConfigIssue, 'place'> }

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
  if (inside !== undefined) return { kind: 'inside', issues: inside }
  const forms = [...new Set(nodes.flatMap(formsOf))]
  const all = listed(forms)
  const spoken = branches
    .flat()
    .find(inner => inner.code === 'custom' && inner.params?.['hint'] !== undefined)
  if (spoken?.code === 'custom' && typeof found !== 'object')
    return {
      kind: 'none',
      issue: { problem: spoken.message, hint: `${String(spoken.params?.['hint'])}; allowed: ${all}` },
    }
  const words = nodes.flatMap(node => [node.const, ...(node.enum ?? [])]).filter(isText)
  if (found === undefined) return { kind: 'none', issue: { problem: `is missing: it must be ${all}` } }
  const meant = typeof found === 'string' ? (wordOfOthers(found, words) ?? suggest(found, words)) : undefined
  return {
    kind: 'none',
    issue: {
      problem: `must be ${all}, not ${describe(found)}`,
      ...(meant === undefined ? exampleHint(found, nodes) : { hint: `did you mean "${meant}"?` }),
    },
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

/** `"a", "b" or a number`. */
function listed(forms: readonly string[]): string {
  return forms.length < 2 ? forms.join('') : `${forms.slice(0, -1).join(', ')} or ${forms.at(-1)}`
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
