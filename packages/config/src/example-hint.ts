import type { SchemaNode } from './json-schema.ts'

/**
 * A hint for a value of the wrong kind: what the table gives as an example of the key, and for `true` the
 * empty object that switches a section on with its defaults.
 */
export function exampleHint(found: unknown, nodes: readonly SchemaNode[]): { readonly hint?: string } {
  const isSection = nodes.some(
    ({ properties, required = [] }) => properties !== undefined && required.length === 0,
  )
  if (found === true && isSection) return { hint: 'write {} to switch it on with its defaults' }
  const example = nodes.find(node => node.example !== undefined)?.example
  return example === undefined ? {} : { hint: `e.g. ${flow(example)}` }
}

/** A value on one line, as YAML and TypeScript both read it. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `${/^[\w]+$/.test(key) ? key : JSON.stringify(key)}: ${flow(inner)}`)
      .join(', ')} }`
  return JSON.stringify(value)
}
