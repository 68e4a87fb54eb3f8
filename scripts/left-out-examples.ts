import { parse } from 'acorn'
import { isNode, nodesIn, type Tree } from './syntax-tree.ts'

/** What a rule must find and what it must leave alone. */
const EXAMPLES: ReadonlySet<string> = new Set(['attacks', 'benign'])

/**
 * A module of the rules of inspection with empty lists of examples: only tests read them, and they were an
 * eighth of what a start loads of the rules.
 */
export function withoutExamples(source: string): string {
  let kept = ''
  let from = 0
  for (const { type, key, value } of nodesIn(
    parse(source, { ecmaVersion: 'latest', sourceType: 'module' }) as unknown as Tree,
  )) {
    if (type !== 'Property' || !isNode(key) || !isNode(value) || value.type !== 'ArrayExpression') continue
    if (!EXAMPLES.has(String(key['name'])) || value.start < from) continue
    kept += `${source.slice(from, value.start)}[]`
    from = value.end
  }
  return kept + source.slice(from)
}
