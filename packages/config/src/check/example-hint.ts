import type { SchemaNode } from '../table/json-schema.ts'

/**
 * A hint for a value of the wrong kind: what the table gives as an example of the key, else what it says of
 * the entries of a list.
 */
export function exampleHint(nodes: readonly SchemaNode[]): string | undefined {
  const example = nodes.find(node => node.example !== undefined)?.example
  if (example !== undefined) return `e.g. ${flow(example)}`
  const entry = nodes.find(({ items }) => items?.form !== undefined)?.items?.form
  return entry === undefined ? undefined : `each entry is ${entry}`
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
