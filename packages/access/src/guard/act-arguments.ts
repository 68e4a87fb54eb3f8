import { isProxy } from 'node:util/types'
import type { Json } from '@postern/core'

/** What JSON writes without what it holds, although it may have fields of its own. */
const OPAQUE = [Map, Set, WeakMap, WeakSet, RegExp, Promise, Error, ArrayBuffer, DataView, Blob]
/** The same by name: whoever names these classes has Node load its HTTP client. */
const OPAQUE_NAMES = /^\[object (?:FormData|URLSearchParams|Headers|Request|Response)\]$/

/**
 * The arguments of a guarded function as what a proof or a consent is bound to. Plain data only: what JSON
 * would leave out or change (a set, a form, a number beyond all numbers) must not change the act unseen.
 * @param absent whether a field that is undefined is refused, or is as good as not there
 * @throws TypeError for anything else
 */
export function actArguments(input: unknown, absent: 'refuse' | 'drop' = 'refuse'): Json {
  if (input === undefined) return null
  const text = JSON.stringify(input, (_key, value: unknown) => {
    if (value === undefined && absent === 'drop') return value
    if (!isPlain(value))
      throw new TypeError(
        'the input of a guarded function is not JSON; say with `arguments` what of it counts',
      )
    return value
  })
  return JSON.parse(text) as Json
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return typeof value === 'string' || typeof value === 'boolean'
  if (value === null || isProxy(value)) return true
  if (OPAQUE.some(kind => value instanceof kind)) return false
  return !OPAQUE_NAMES.test(Object.prototype.toString.call(value)) && !hidesAll(value)
}

/** Whether an object is of a class and shows no field: `FormData`, `URLSearchParams`, private fields only. */
function hidesAll(value: object): boolean {
  if (Array.isArray(value) || Object.keys(value).length > 0) return false
  // Of another realm, such as that of a test runner, an empty object has another `Object.prototype`.
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype !== null && Object.getPrototypeOf(prototype) !== null
}
