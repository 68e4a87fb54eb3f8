import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Attribute {
  readonly requirement?: string
  readonly type?: string
  readonly is_array?: boolean
  readonly enum?: Readonly<Record<string, unknown>>
}

interface Definition {
  readonly name?: string
  readonly uid?: number
  readonly extends?: string
  readonly constraints?: { readonly at_least_one?: readonly string[]; readonly just_one?: readonly string[] }
  readonly attributes: Readonly<Record<string, Attribute | readonly string[]>>
}

interface Resolved {
  readonly attributes: Map<string, Attribute>
  readonly constraints: Definition['constraints']
}

/** Judged in `problems`: their values are made of the class's and the category's numbers. */
const COMPUTED = new Set(['class_uid', 'category_uid', 'type_uid'])
const NUMBERS = new Set(['integer_t', 'long_t', 'float_t', 'timestamp_t', 'port_t'])

/**
 * Judges events by the sources of the OCSF schema: required attributes, unknown ones,
 * enums, constraints, and the kinds of values.
 */
export class OcsfSchema {
  readonly #path: string
  readonly #dictionary: Readonly<Record<string, Attribute>>
  readonly #classes = new Map<string, Definition>()
  readonly #categories: Readonly<Record<string, { readonly uid: number }>>

  constructor(path: string) {
    this.#path = path
    this.#dictionary = this.#read<{ attributes: Record<string, Attribute> }>('dictionary.json').attributes
    this.#categories = this.#read<{ attributes: Record<string, { uid: number }> }>(
      'categories.json',
    ).attributes
    for (const file of globSync('events/**/*.json', { cwd: path })) {
      const definition = this.#read<Definition & { readonly category?: string }>(file)
      this.#classes.set(definition.name ?? file, definition)
    }
  }

  #read<T>(file: string): T {
    return JSON.parse(readFileSync(join(this.#path, file), 'utf8')) as T
  }

  /** What is wrong with an event; empty when nothing is. */
  problems(event: Readonly<Record<string, unknown>>): readonly string[] {
    const uid = Number(event['class_uid'])
    const definition = [...this.#classes.values()].find(one => this.#classUid(one) === uid)
    if (definition === undefined) return [`no class ${uid}`]
    const problems: string[] = []
    if (Number(event['category_uid']) !== Math.floor(uid / 1_000))
      problems.push('category_uid does not fit class_uid')
    if (Number(event['type_uid']) !== uid * 100 + Number(event['activity_id']))
      problems.push('type_uid does not fit')
    this.#check(
      event,
      this.#resolve(definition, name => this.#classes.get(name)),
      definition.name ?? '',
      problems,
    )
    return problems
  }

  #classUid(definition: Definition): number | undefined {
    if (definition.uid === undefined) return undefined
    const category = this.#categoryOf(definition)
    return category === undefined ? undefined : category * 1_000 + definition.uid
  }

  #categoryOf(definition: Definition & { readonly category?: string }): number | undefined {
    if (definition.category !== undefined) return this.#categories[definition.category]?.uid
    const parent = definition.extends === undefined ? undefined : this.#classes.get(definition.extends)
    return parent === undefined ? undefined : this.#categoryOf(parent)
  }

  #resolve(definition: Definition, parentOf: (name: string) => Definition | undefined): Resolved {
    const parent = definition.extends === undefined ? undefined : parentOf(definition.extends)
    const inherited = parent === undefined ? undefined : this.#resolve(parent, parentOf)
    const attributes = new Map(inherited?.attributes)
    const put = (source: Definition['attributes']): void => {
      for (const [name, value] of Object.entries(source)) {
        if (name === '$include') {
          for (const file of value as readonly string[]) put(this.#profile(file))
        } else {
          const own = value as Attribute
          const before = attributes.get(name)
          const merged = { ...before?.enum, ...own.enum }
          attributes.set(name, { ...before, ...own, ...(Object.keys(merged).length > 0 && { enum: merged }) })
        }
      }
    }
    put(definition.attributes)
    return { attributes, constraints: definition.constraints ?? inherited?.constraints }
  }

  /** What a profile requires counts only for those who use it: its attributes are optional here. */
  #profile(file: string): Definition['attributes'] {
    const { attributes } = this.#read<Definition>(file)
    return Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [
        name,
        Array.isArray(value) ? value : { ...(value as Attribute), requirement: 'optional' },
      ]),
    )
  }

  #check(
    value: Readonly<Record<string, unknown>>,
    { attributes, constraints }: Resolved,
    place: string,
    problems: string[],
  ): void {
    for (const [name, attribute] of attributes) {
      if (attribute.requirement === 'required' && value[name] === undefined)
        problems.push(`${place}: lacks ${name}`)
    }
    const some = constraints?.at_least_one
    if (some !== undefined && !some.some(name => value[name] !== undefined))
      problems.push(`${place}: needs one of ${some.join(', ')}`)
    for (const [name, found] of Object.entries(value)) {
      const attribute = attributes.get(name)
      if (attribute === undefined) problems.push(`${place}: does not know ${name}`)
      else if (!COMPUTED.has(name))
        this.#checkValue(
          found,
          {
            ...this.#dictionary[name],
            ...attribute,
            enum: { ...this.#dictionary[name]?.enum, ...attribute.enum },
          },
          `${place}.${name}`,
          problems,
        )
    }
  }

  #checkValue(value: unknown, attribute: Attribute, place: string, problems: string[]): void {
    if (attribute.is_array === true) {
      if (!Array.isArray(value)) problems.push(`${place}: is not a list`)
      else for (const one of value) this.#checkValue(one, { ...attribute, is_array: false }, place, problems)
      return
    }
    const type = attribute.type ?? ''
    if (type === 'object' || existsSync(join(this.#path, `objects/${type}.json`))) {
      this.#checkObject(value, type, place, problems)
      return
    }
    if (!isOfType(value, type)) problems.push(`${place}: is a ${typeof value}, not ${type}`)
    const names = Object.keys(attribute.enum ?? {})
    if (names.length > 0 && !names.includes(String(value)))
      problems.push(`${place}: ${String(value)} is none of its values`)
  }

  #checkObject(value: unknown, type: string, place: string, problems: string[]): void {
    if (typeof value !== 'object' || value === null) problems.push(`${place}: is not an object`)
    else if (type !== 'object')
      this.#check(value as Record<string, unknown>, this.#object(type), place, problems)
  }

  #object(name: string): Resolved {
    const read = (object: string): Definition => this.#read<Definition>(`objects/${object}.json`)
    return this.#resolve(read(name), read)
  }
}

/** Whether a value other than an object has a type of the schema. */
function isOfType(value: unknown, type: string): boolean {
  if (NUMBERS.has(type)) return typeof value === 'number'
  return typeof value === 'string' || type === 'json_t' || type === 'boolean_t'
}
