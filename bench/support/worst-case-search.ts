import { ownRules } from '../../packages/inspect/src/rules/own-rules.ts'

/** Fragments that open what lexers and expressions look for. */
const SIGNS = [
  ...'\'"`()<>[]{};|&$%#@!?=+-*/\\.,:^~_ \n\tA0',
  '\r\n',
  '<a ',
  '<a x=',
  '&#',
  '%25',
  '\\u',
  "' or ",
  'or 1=',
  'union select ',
  ';cat ',
  '$(',
  '${',
  '{{',
  '../',
  '/*',
  '*/',
  '--',
  'a=',
  '<!--',
  '((((',
  "'('",
  "or('",
  '[[',
  '$$$',
  '"on',
  ' on',
  'javascript',
  'x:',
  '`a`',
  '`id`',
  '<x on',
  '{"a":',
  'concat(',
  'select(',
  "'||'",
  "1,'",
  'YWFh',
  ' and ',
  ' in ',
  'case when ',
  'é',
  '\u0001',
  'http://',
  'ls ',
  'id',
  'for ',
  'if ',
  'AAAAAAAA',
] // prettier-ignore

/** How the slowest inputs are looked for. */
export interface Search {
  /** Characters of an input. */
  readonly length: number
  /** Inputs that are tried. */
  readonly tries: number
  readonly seed: number
  /** What an input costs; more is slower. */
  readonly cost: (text: string) => number
}

interface Candidate {
  readonly unit: string
  readonly cost: number
}

/**
 * An evolutionary search for inputs that are slow to inspect: units of some fragments are repeated to the
 * full length, and the slowest are crossed, cut and
 * mixed with further ones. The same seed tries the same inputs.
 * @returns the slowest inputs, slowest first
 */
export function searchWorst({ length, tries, seed, cost }: Search): readonly string[] {
  let state = seed
  const draw = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >> 8) % below
  }
  const attacks = ownRules.flatMap(rule => rule.attacks)
  const pick = <T>(list: readonly T[]): T => list[draw(list.length)] as T
  const fragment = (): string => {
    if (draw(3) > 0) return pick(SIGNS)
    const attack = pick(attacks)
    return attack.slice(0, 1 + draw(attack.length))
  }
  const repeated = (unit: string): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length)
  let best: Candidate[] = []
  const keep = (unit: string): void => {
    if (unit === '' || unit.length > LONGEST_UNIT || best.some(other => other.unit === unit)) return
    best.push({ unit, cost: cost(repeated(unit)) })
    if (best.length > SURVIVORS * 2) best = best.sort((a, b) => b.cost - a.cost).slice(0, SURVIVORS)
  }
  for (let i = 0; i < tries; i++) {
    const fresh = best.length < SURVIVORS || i < tries / 3
    if (fresh) {
      keep(Array.from({ length: 1 + draw(4) }, fragment).join(''))
      continue
    }
    const one = pick(best).unit
    const other = draw(2) === 0 ? fragment() : pick(best).unit
    const cut = draw(one.length + 1)
    keep(
      draw(4) === 0 ? one.slice(0, cut) : one.slice(0, cut) + other + (draw(2) === 0 ? one.slice(cut) : ''),
    )
  }
  return best.sort((a, b) => b.cost - a.cost).map(({ unit }) => repeated(unit))
}

const SURVIVORS = 16
const LONGEST_UNIT = 400
