import type { SchemaNode } from '../table/json-schema.ts'

/** What YAML 1.1 and other tools read as a truth value, and YAML 1.2 as text. */
const OFF: ReadonlySet<string> = new Set(['no', 'off', 'false', 'none', 'disabled', 'disable', 'n'])
const ON: ReadonlySet<string> = new Set(['yes', 'on', 'true', 'enabled', 'enable', 'y'])
const NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/

/**
 * A hint for a text that stands for a truth value or a number, and for `true` where an object switches
 * something on; undefined for other values.
 * @param nodes the forms that the table knows for the place
 * @param isSwitch whether an empty object there switches something on
 */
export function meantValue(
  found: unknown,
  nodes: readonly SchemaNode[],
  isSwitch: boolean,
): string | undefined {
  const word = typeof found === 'string' ? found.trim().toLowerCase() : undefined
  const hasType = (...types: readonly string[]): boolean =>
    nodes.some(node => node.const === undefined && types.includes(String(node.type)))
  const empty = nodes.find(({ emptyMeans }) => emptyMeans !== undefined)?.emptyMeans
  if (found === true || (word !== undefined && ON.has(word))) {
    if (hasType('boolean')) return 'write true'
    if (empty !== undefined) return `write {} for ${empty}`
    return isSwitch ? 'write {} to switch it on with its defaults' : undefined
  }
  if (word === undefined) return undefined
  if (OFF.has(word) && (hasType('boolean') || nodes.some(node => node.const === false))) return 'write false'
  if (NUMBER.test(word) && hasType('number', 'integer')) return `write ${word} without quotes`
  return undefined
}
