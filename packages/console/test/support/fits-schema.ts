interface Schema {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

/** Where a value is not what a schema of the API's document says; empty when it fits. */
export function misfits(value: unknown, schema: Schema, at = 'answer'): readonly string[] {
  if (schema.enum !== undefined && !schema.enum.includes(String(value)))
    return [`${at} is none of ${schema.enum.join(', ')}`]
  switch (schema.type) {
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return [`${at} is not an object`]
      const fields = value as Readonly<Record<string, unknown>>
      const missing = (schema.required ?? []).filter(name => fields[name] === undefined)
      const inner = Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
        fields[name] === undefined ? [] : misfits(fields[name], field, `${at}.${name}`),
      )
      const unnamed = Object.keys(fields).filter(
        name => schema.properties !== undefined && !Object.hasOwn(schema.properties, name),
      )
      return [
        ...missing.map(name => `${at}.${name} is missing`),
        ...unnamed.map(name => `${at}.${name} is not in the document`),
        ...inner,
      ]
    }
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item, i) => misfits(item, schema.items ?? {}, `${at}[${i}]`))
        : [`${at} is not a list`]
    case 'integer':
      return Number.isInteger(value) ? [] : [`${at} is not a whole number`]
    case undefined:
      return []
    default:
      return typeof value === schema.type ? [] : [`${at} is no ${schema.type}`]
  }
}
