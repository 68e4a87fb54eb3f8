import type { BodyValue } from '@postern/core'
import { type ActorSketch, actorsOf, addActor, addSketch, daysOf, newSketch } from './actor-sketch.ts'

/** What values of a parameter can be, narrowest first; each also fits those behind it. */
export const VALUE_CLASSES = ['number', 'id', 'word', 'text'] as const
/** A type of parameter that can be learned; the same words as inspection's types. */
export type LearnedType = (typeof VALUE_CLASSES)[number]

const SHAPES: Readonly<Record<Exclude<LearnedType, 'text'>, RegExp>> = {
  number: /^[+-]?\d{1,19}(?:\.\d{1,19})?$/,
  id: /^[\w:@~+-]{1,128}(?:\.[\w:@~+-]{1,128}){0,8}$/,
  word: /^[\p{L}\p{M}\p{N} .,'’&/()+:!?_#@-]{0,200}$/u,
}

/** Who sent values of which class: enough to tell what everybody sends from what one sends. */
export type ParameterEvidence = Map<LearnedType, ActorSketch>

/**
 * The narrowest class of a value; undefined for one that says nothing (empty, null)
 * or has an inside of its own.
 */
function valueClass(value: BodyValue): LearnedType | undefined {
  if (typeof value === 'number') return 'number'
  if (typeof value !== 'string' || value === '') return undefined
  for (const name of VALUE_CLASSES) if (name !== 'text' && SHAPES[name].test(value)) return name
  return 'text'
}

export function addEvidence(
  evidence: ParameterEvidence,
  value: BodyValue,
  actor: string,
  time: number,
): void {
  const name = valueClass(value)
  if (name !== undefined) addActor(sketchOf(evidence, name), actor, time)
}

export function mergeEvidence(evidence: ParameterEvidence, other: ParameterEvidence): void {
  for (const [name, sketch] of other) addSketch(sketchOf(evidence, name), sketch)
}

function sketchOf(evidence: ParameterEvidence, name: LearnedType): ActorSketch {
  let sketch = evidence.get(name)
  if (sketch === undefined) {
    sketch = newSketch()
    evidence.set(name, sketch)
  }
  return sketch
}

/** What it takes to learn a type. */
const LEAST = Object.freeze({ actors: 20, days: 3, textShare: 0.2 }) as {
  readonly actors: number
  readonly days: number
  readonly textShare: number
}

/**
 * The type of a parameter, when enough distinct networks on enough days agree;
 * undefined while nothing is certain.
 *
 * One actor can neither make a type nor loosen one: a strict type needs many actors and not one outside;
 * `text`, which is inspected less than an unknown parameter, needs a fifth of all actors to have sent such.
 * What one actor can do is keep a parameter unknown, which is inspected as before.
 */
export function learnedType(evidence: ParameterEvidence): LearnedType | undefined {
  const all = newSketch()
  for (const sketch of evidence.values()) addSketch(all, sketch)
  const actors = actorsOf(all)
  if (actors < LEAST.actors || daysOf(all) < LEAST.days) return undefined
  const text = evidence.get('text')
  if (text === undefined) return VALUE_CLASSES.findLast(name => evidence.has(name))
  const texts = actorsOf(text)
  return texts >= LEAST.actors / 2 && texts >= actors * LEAST.textShare && daysOf(text) >= LEAST.days
    ? 'text'
    : undefined
}
