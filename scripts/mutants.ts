import { stripTypeScriptTypes } from 'node:module'
import { type Node, parse } from 'acorn'
import type { Mutant } from './mutated-source.ts'
import { isNode, nodesIn, type Tree } from './syntax-tree.ts'

const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '&&': ['||'],
  '||': ['&&'],
  '??': ['&&'],
  '&': ['|'],
  '|': ['&'],
  '<<': ['>>'],
  '>>': ['<<'],
  '>>>': ['<<'],
}

/**
 * Every mutant of a source file: other comparisons, arithmetic and logic, conditions that always or never
 * hold, other literals, statements that are gone.
 * @param source TypeScript with erasable types
 */
export function mutantsOf(source: string): readonly Mutant[] {
  const plain = stripTypeScriptTypes(source)
  const found: Mutant[] = []
  const tree = parse(plain, { ecmaVersion: 'latest', sourceType: 'module' })
  for (const node of nodesIn(tree as Node as Tree)) mutate(node, plain, found)
  return found.sort((a, b) => a.start - b.start)
}

function mutate(node: Tree, text: string, found: Mutant[]): void {
  switch (node.type) {
    case 'BinaryExpression':
    case 'LogicalExpression':
      operator(node, text, found)
      break
    case 'IfStatement':
    case 'ConditionalExpression':
    case 'WhileStatement':
      condition(node, found)
      break
    case 'Literal':
      literal(node, text, found)
      break
    case 'ExpressionStatement':
      if (typeof node['directive'] !== 'string') add(node, '', 'a statement is gone', found)
      break
    case 'UnaryExpression':
      if (node['operator'] === '!') add(node, text.slice(node.start + 1, node.end), 'no "!"', found)
      break
    case 'ReturnStatement':
      // `return undefined` returns nothing as it is.
      if (isNode(node['argument']) && node['argument']['name'] !== 'undefined')
        add(node, 'return', 'returns nothing', found)
      break
    default:
  }
}

function operator(node: Tree, text: string, found: Mutant[]): void {
  const { left, right, operator: sign } = node
  if (!isNode(left) || !isNode(right) || typeof sign !== 'string') return
  // Text is joined, not added: the opposite of that is not a program anybody would write.
  if (sign === '+' && (isText(left) || isText(right))) return
  const between = text.slice(left.end, right.start)
  const at = left.end + between.indexOf(sign)
  for (const other of Object.hasOwn(OPERATORS, sign) ? (OPERATORS[sign] ?? []) : [])
    found.push({
      start: at,
      end: at + sign.length,
      replacement: other,
      what: `"${other}" for "${sign}"`,
      // V8 counts what is behind a logical operator by itself, and it runs only where the left side lets it.
      reachedAt: left.start,
    })
}

function isText(node: Tree): boolean {
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node['value'] === 'string')
}

function condition({ test, type }: Tree, found: Mutant[]): void {
  if (!isNode(test)) return
  add(test, 'false', 'never holds', found)
  // A loop without an end would only be found by its time.
  if (type !== 'WhileStatement') add(test, 'true', 'always holds', found)
}

function literal(node: Tree, text: string, found: Mutant[]): void {
  const { value } = node
  if (typeof value === 'boolean') add(node, String(!value), `${!value} for ${value}`, found)
  else if (typeof value === 'number')
    add(node, `(${text.slice(node.start, node.end)} + 1)`, 'one more', found)
}

function add({ start, end }: Tree, replacement: string, what: string, found: Mutant[]): void {
  found.push({ start, end, replacement, what })
}
