import { ownRules } from '../../packages/inspect/src/rules/own-rules.ts'

/** Stands for another few letters in every repetition: what repeats word for word is looked at once. */
const CHANGING = '\u{f000}'

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
  '&',
  '=',
  ';',
  CHANGING,
  CHANGING,
  CHANGING,
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
  const repeated = (unit: string): string => repeat(unit, length)
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

/** A unit over and over, up to a length. */
function repeat(unit: string, length: number): string {
  if (!unit.includes(CHANGING)) return unit.repeat(Math.ceil(length / unit.length)).slice(0, length)
  let text = ''
  for (let i = 0; text.length < length; i++)
    text += unit.replaceAll(CHANGING, (Math.imul(i, 0x9e3779b1) >>> 0).toString(36).slice(0, 3))
  return text.slice(0, length)
}

const SURVIVORS = 16
const LONGEST_UNIT = 400
