// An expression whose repeated group matches some text in two ways takes 2^n steps to say no: 120 characters
// of `%09x` held a process for a second, once. What can be read so is read from its automaton, not from a
// clock.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'
import { type Token, tokenizer } from 'acorn'
import { type Concatenation, type Element, JS, NFA, type NoParent } from 'refa'
import { ownRules } from '../../packages/inspect/src/rules/own-rules.ts'

/** What an expression of the sources looks for. */
function* expressionsOf(file: string): Iterable<string> {
  const code = stripTypeScriptTypes(readFileSync(file, 'utf8'))
  for (const token of tokenizer(code, { ecmaVersion: 'latest', sourceType: 'module' }))
    if (token.type.label === 'regexp') {
      const { value } = token as Token & { readonly value: { readonly pattern: string } }
      yield value.pattern
    }
}

/** So often, two ways of reading a group cost little: 4,096 steps. */
const FEW = 12

/** Groups that may be repeated often, and behind which something may fail. */
function* repeatedGroups(source: string): Iterable<string> {
  const open: number[] = []
  const masked = source.replace(/\\[\s\S]|\[(?:[^\]\\]|\\[\s\S])*\]/g, text => 'x'.repeat(text.length))
  for (let at = 0; at < source.length; at++) {
    if (masked[at] === '(') open.push(at)
    if (masked[at] !== ')') continue
    const group = source.slice(open.pop(), at + 1)
    const [quantifier, sign, least, comma, most] =
      /^(?:([*+])|\{(\d+)(?:(,)(\d*))?\})\??/.exec(source.slice(at + 1)) ?? []
    const times = sign !== undefined || most === '' ? Number.POSITIVE_INFINITY : Number(comma ? most : least)
    if (times > FEW && at + 1 + (quantifier?.length ?? 0) < source.length) yield group
  }
}

/** Bounds of the repetitions in a group say nothing of how it can be read; an automaton grows with them. */
function withSmallBounds(alternatives: readonly NoParent<Concatenation>[]): void {
  for (const element of alternatives.flatMap(({ elements }): readonly NoParent<Element>[] => elements)) {
    if (element.type === 'Quantifier') {
      const isExact = element.min === element.max
      element.min = Math.min(element.min, 2)
      element.max = isExact ? element.min : Math.min(element.max, 3)
    }
    if ('alternatives' in element) withSmallBounds(element.alternatives)
  }
}

/** The automaton of a group that is repeated; what it looks at ahead and behind is passed over. */
function automatonOf(group: string): NFA {
  const source = group
    .replace(/\(\?<(?![=!])\w{1,40}>/g, '(?:')
    // An end of the text, behind which no other round begins.
    .replace(/(?<=[|(])\$(?=[|)])/g, '[]')
  const flags = source.includes('\\u{') ? 'u' : ''
  const { expression, maxCharacter } = JS.Parser.fromLiteral({ source, flags }).parse({
    backreferences: 'disable',
  })
  withSmallBounds(expression.alternatives)
  const { alternatives } = expression
  const repeated = {
    type: 'Quantifier',
    min: 0,
    max: Number.POSITIVE_INFINITY,
    lazy: false,
    alternatives,
  } as const
  return NFA.fromRegex(
    [{ type: 'Concatenation', elements: [repeated] }],
    { maxCharacter },
    { assertions: 'ignore' },
  )
}

/**
 * Whether a repeated group can be read in two ways from some state back to it (Weber and Seidl, "On the
 * degree of ambiguity of finite automata", 1991): two walks over its automaton that take the same characters
 * and meet, part and meet again, which is a component of the squared automaton with pairs of both kinds.
 */
function isAmbiguous(group: string): boolean {
  const nodes = new Map<NFA.ReadonlyNode, number>()
  const found = [automatonOf(group).initial as NFA.ReadonlyNode]
  for (let node = found.pop(); node !== undefined; node = found.pop()) {
    if (nodes.has(node)) continue
    nodes.set(node, nodes.size)
    found.push(...node.out.keys())
  }
  const steps = [...nodes.keys()].map(({ out }) =>
    [...out].map(([node, characters]) => ({ to: nodes.get(node) as number, characters })),
  )
  const width = steps.length
  const pairsBehind = (pair: number): readonly number[] =>
    (steps[Math.floor(pair / width)] ?? []).flatMap(one =>
      (steps[pair % width] ?? [])
        .filter(other => !one.characters.isDisjointWith(other.characters))
        .map(other => one.to * width + other.to),
    )
  return componentsFrom(0, pairsBehind).some(component => {
    const together = component.filter(pair => Math.floor(pair / width) === pair % width).length
    return together > 0 && together < component.length
  })
}

/** The strongly connected components that can be reached (Tarjan, 1972). */
function componentsFrom(start: number, next: (node: number) => readonly number[]): readonly number[][] {
  const order = new Map<number, number>()
  const lowest = new Map<number, number>()
  const stack: number[] = []
  const held = new Set<number>()
  const components: number[][] = []
  const walk = [{ node: start, behind: undefined as readonly number[] | undefined, at: 0 }]
  const low = (node: number, value: number): void => {
    lowest.set(node, Math.min(lowest.get(node) ?? value, value))
  }
  for (let top = walk.at(-1); top !== undefined; top = walk.at(-1)) {
    const { node } = top
    if (top.behind === undefined) {
      top.behind = next(node)
      low(node, order.size)
      order.set(node, order.size)
      stack.push(node)
      held.add(node)
    }
    const other = top.behind[top.at++]
    if (other !== undefined) {
      if (!order.has(other)) walk.push({ node: other, behind: undefined, at: 0 })
      else if (held.has(other)) low(node, order.get(other) as number)
      continue
    }
    walk.pop()
    const before = walk.at(-1)
    if (before !== undefined) low(before.node, lowest.get(node) as number)
    if (lowest.get(node) !== order.get(node)) continue
    const component = stack.splice(stack.lastIndexOf(node))
    for (const each of component) held.delete(each)
    components.push(component)
  }
  return components
}

/** Of which what they look at ahead lets one reading live, or what they refer to ends each round. */
const REVIEWED: ReadonlySet<string> = new Set([
  '(?:\\\\"""|(?!""")[\\s\\S])',
  '(?:\\\\"""|[^"]|"(?!""))',
  '(?:[\\w-]{1,64}:[^\\r\\n]*\\1)',
])

test('a group that can be read in two ways is found', () => {
  for (const [group, expected] of [
    ['(?:%0?\\d{0,2}x)', true],
    ['(?:%\\d{0,3}x)', false],
    ['(?:"[^"\\\\]*"|"(?:[^"\\\\;]|\\\\["\\\\])*")', true],
    ['(?:\\s|\\/\\*[\\s\\S]*?\\*\\/)', true],
    ['(?:\\s|\\/\\*[^*]*\\*+(?:[^/*][^*]*\\*+)*\\/)', false],
    ['(?:a|b)', false],
    ['(?:a|ab|b)', true],
    ['(?:\\w{1,40}(?:\\s|$))', false],
    ['(?<name>x\\d{4}\\d{0,2})', false],
    ['([a-z\\u{10000}]+,?)', true],
  ] as const) {
    assert.deepEqual([...repeatedGroups(`^a${group}*$`)].at(-1), group)
    assert.equal(isAmbiguous(group), expected, group)
  }
  assert.deepEqual([...repeatedGroups('(?:ab){3,64}c(?:d){2,8}(?:e){30}(?:f)*')], ['(?:ab)', '(?:e)'])
})

test('no group of an expression that is repeated often can be read in two ways', () => {
  const sources = new Map<string, string>()
  for (const file of globSync('packages/*/src/**/*.ts'))
    for (const source of expressionsOf(file)) sources.set(source, file)
  // Some of them are put together of pieces.
  for (const { id, needs = [] } of ownRules) for (const { source } of needs) sources.set(source, id)
  let groups = 0
  const found: string[] = []
  for (const [source, place] of sources)
    for (const group of repeatedGroups(source)) {
      groups++
      if (!REVIEWED.has(group) && isAmbiguous(group)) found.push(`${place}: ${group}`)
    }
  assert.ok(groups > 100, `${groups} groups`)
  assert.deepEqual(found, [])
})
