import type { Node } from 'acorn'
import { isNode, nodesIn, type Tree } from './syntax-tree.ts'

/** An assertion that holds whatever the product does. */
export interface HollowAssertion {
  /** Where it begins in the source. */
  readonly start: number
  readonly problem: string
}

/**
 * The assertions of a test file that cannot fail, of the kinds that its syntax shows.
 * @param tree of the source without its types
 */
export function hollowAssertions(tree: Node, source: string): readonly HollowAssertion[] {
  const found: HollowAssertion[] = []
  for (const node of nodesIn(tree as Tree)) {
    const problem = problemOf(node, source)
    if (problem !== undefined) found.push({ start: node.start, problem })
  }
  return found
}

function problemOf(node: Tree, source: string): string | undefined {
  switch (node.type) {
    case 'ExpressionStatement': {
      const call = node['expression'] as Tree
      return /^assert\.(?:rejects|doesNotReject)$/.test(calleeOf(call, source))
        ? 'nobody waits for this assertion: await it'
        : undefined
    }
    case 'CallExpression':
      return problemOfCall(node, source)
    case 'TryStatement':
      return problemOfTry(node, source)
    default:
      return undefined
  }
}

function calleeOf(node: Tree, source: string): string {
  const { callee } = node
  return node.type === 'CallExpression' && isNode(callee) ? source.slice(callee.start, callee.end) : ''
}

/** Kinds of expressions that are always true. */
const CONSTANT =
  /^(?:Literal|TemplateLiteral|ArrowFunctionExpression|FunctionExpression|ObjectExpression|ArrayExpression)$/

function problemOfCall(node: Tree, source: string): string | undefined {
  const name = calleeOf(node, source)
  const [first] = node['arguments'] as readonly Tree[]
  if (first === undefined) return undefined
  if (/^assert(?:\.ok)?$/.test(name) && CONSTANT.test(first.type)) return 'this is always true'
  if (/^assert\.(?:throws|doesNotThrow)$/.test(name) && first['async'] === true)
    return 'an async function never throws, it rejects: assert.rejects'
  return undefined
}

/** An assertion in a `try` whose `catch` does nothing with the error. */
function problemOfTry(node: Tree, source: string): string | undefined {
  const { block, handler } = node
  if (!isNode(block) || !isNode(handler)) return undefined
  const body = handler['body'] as Tree
  const isAsserting = /\bassert\b/.test(source.slice(block.start, block.end))
  return isAsserting && (body['body'] as readonly unknown[]).length === 0
    ? 'a failed assertion ends in a catch that drops it'
    : undefined
}
