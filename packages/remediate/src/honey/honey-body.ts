import {
  type BodyValue,
  type Exchange,
  formPairs,
  type Json,
  multipartTexts,
  readTextBody,
} from '@postern/core'
import { type HoneyNames, type HoneyTouch, touchedInPairs, touchOf } from './honey-touch.ts'

/** Levels whose names are written down and may be a field's. */
const NAMED_LEVELS = 4

/**
 * The first trap in a body, however deep it lies and however much stands before it: a client chooses both,
 * and what it sends is bounded by the engine's body limit.
 */
export async function touchedInBody(exchange: Exchange, names: HoneyNames): Promise<HoneyTouch | undefined> {
  const body = await readTextBody(exchange)
  switch (body.kind) {
    case 'json':
      return touchedInJson(body.value, names)
    case 'form':
      return touchedInPairs(formPairs(body.text), names, 'body')
    case 'multipart':
      return touchedInPairs(multipartTexts(body.text, 'fields') ?? [], names, 'body')
    default:
      return undefined
  }
}

interface Place {
  readonly value: BodyValue
  readonly path: string
  readonly level: number
}

/** With a list of its own instead of the stack: a body may be thousands of levels deep. */
function touchedInJson(body: Json, names: HoneyNames): HoneyTouch | undefined {
  const waiting: Place[] = [{ value: body, path: '', level: 0 }]
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const touch = touchOf(place.path, place.value, names, 'body') ?? namedBy(place, names)
    if (touch !== undefined) return touch
    for (const inner of inside(place)) waiting.push(inner)
  }
  return undefined
}

/** Changes of many records are often written by id: `{"17": {...}, "18": {...}}`. */
function namedBy({ value, path }: Place, { records }: HoneyNames): HoneyTouch | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const span = Object.keys(value).find(name => records.has(name))
  return span === undefined ? undefined : { kind: 'record', location: `body.${path.slice(0, 100)}`, span }
}

function inside({ value, path, level }: Place): readonly Place[] {
  if (typeof value !== 'object' || value === null) return []
  const next = level + 1
  if (Array.isArray(value)) {
    const inner = level < NAMED_LEVELS ? `${path}[]` : path
    return value.map(item => ({ value: item, path: inner, level: next }))
  }
  return Object.entries(value).map(([name, item]) => ({
    value: item,
    path: level < NAMED_LEVELS ? within(path, name) : path,
    level: next,
  }))
}

function within(path: string, name: string): string {
  return path === '' ? name.slice(0, 100) : `${path}.${name.slice(0, 100)}`
}
