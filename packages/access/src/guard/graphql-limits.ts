/** A node of a GraphQL document, as graphql-js parses it; read as plain data, so any version will do. */
export interface GraphqlNode {
  readonly kind: string
  readonly [key: string]: unknown
}

/** How deep, wide and expensive a GraphQL document may be. */
export interface GraphqlLimits {
  /** Fields inside fields. Default: 12. */
  readonly depth?: number
  /** Cost of a document: 1 for each field, times the sizes of the lists it is in. Default: 5,000. */
  readonly cost?: number
  /**
   * Names under which one field may be asked for in one object, which is how a login is guessed in one
   * request. Selections that GraphQL merges (fragments, fields of one name) count as one. Default: 10.
   */
  readonly aliases?: number
  /** Items of a list in arguments, such as the ids of a mass deletion. Default: 100. */
  readonly listItems?: number
  /**
   * Arguments that size a list, whatever their case and underscores; also as members of an argument
   * (`page: { first: 10 }`), except in filters and in what a mutation writes. Default: `first`, `last`,
   * `limit`, `take`, `pageSize`, `perPage`.
   */
  readonly sizeArguments?: readonly string[]
  /** Size of a list whose size nobody says. Default: 1. */
  readonly defaultSize?: number
  /** Cost of single fields, by name. */
  readonly fields?: Readonly<Record<string, number>>
}

/** What a document would cost, and which limits it breaks. */
export interface GraphqlCost {
  readonly depth: number
  readonly cost: number
  readonly problems: readonly string[]
}

const DEFAULT_SIZES = ['first', 'last', 'limit', 'take', 'pageSize', 'perPage']
/** Arguments that compare: a column may be called as a size is. */
const FILTER = /^(?:where|filters?|conditions?|having|match|search)$/i
/** Directives of one field, fragment, variable or operation: a server validates each of them. */
const MAX_DIRECTIVES = 20
/** Members of an object in an argument: no type has so many. */
const MAX_MEMBERS = 10_000
/**
 * Selections looked at in one document: beyond it the document is refused, however small each limit finds it.
 */
const MAX_VISITS = 20_000
const MAX_SIZE = 1_000_000
/** Fragments spread inside of each other: each level costs a list of those around it, and a bit of stack. */
const MAX_SPREADS = 100
/** Lists and objects inside of each other in an argument. */
const MAX_VALUE_DEPTH = 64

/**
 * Measures a parsed document before anything is resolved. The most expensive operation counts, for the client
 * chooses which one runs. Fragments that spread each other in a circle are a problem, not an endless loop; so
 * is a document that is cheap to write and expensive to walk.
 * @param variables values of the request, for sizes and lists that are variables
 */
export function graphqlCost(
  document: GraphqlNode,
  limits: GraphqlLimits = {},
  variables: Readonly<Record<string, unknown>> = {},
): GraphqlCost {
  const walk = new Walk(document, limits, variables)
  const operations = nodes(document['definitions']).filter(({ kind }) => kind === 'OperationDefinition')
  const costs = operations.map(operation => walk.operation(operation))
  const cost = Math.max(0, ...costs)
  const { depth: maxDepth = 12, cost: maxCost = 5_000 } = limits
  if (walk.depth > maxDepth) walk.problem(`the query is ${walk.depth} fields deep; ${maxDepth} are allowed`)
  if (cost > maxCost)
    walk.problem(`the query costs ${cost}; ${maxCost} are allowed: ask for fewer items or fields`)
  return { depth: walk.depth, cost, problems: [...walk.problems] }
}

/** Selections of one object, which GraphQL merges (October 2021, section 5.3.2), however they are spread. */
class Merged {
  /** Names in the answer, by field. */
  readonly #names = new Map<string, Set<string>>()
  readonly #inner = new Map<string, Merged>()

  /** @returns under how many names the field is asked for, when this name is new; else 0 */
  add(field: string, name: string): number {
    const names = this.#names.get(field) ?? new Set()
    this.#names.set(field, names)
    if (names.has(name)) return 0
    return names.add(name).size
  }

  /** What is selected in the object of that name. */
  in(name: string): Merged {
    const inner = this.#inner.get(name) ?? new Merged()
    this.#inner.set(name, inner)
    return inner
  }
}

/** Where a selection stands. */
interface Place {
  /** Fields around it, and itself. */
  readonly depth: number
  /** Product of the sizes of the lists around it. */
  readonly factor: number
  /** Fragments that it is in. */
  readonly inside: readonly string[]
  /** What else is selected in the same object. */
  readonly merged: Merged
}

class Walk {
  depth = 0
  readonly problems = new Set<string>()
  readonly #limits: GraphqlLimits
  readonly #given: Readonly<Record<string, unknown>>
  #variables: Readonly<Record<string, unknown>> = {}
  readonly #fragments: ReadonlyMap<string, GraphqlNode>
  readonly #sizes: ReadonlySet<string>
  #visits = 0
  #isMutation = false

  constructor(document: GraphqlNode, limits: GraphqlLimits, variables: Readonly<Record<string, unknown>>) {
    this.#limits = limits
    this.#given = variables
    this.#sizes = new Set((limits.sizeArguments ?? DEFAULT_SIZES).map(plainName))
    this.#fragments = new Map(
      nodes(document['definitions'])
        .filter(({ kind }) => kind === 'FragmentDefinition')
        .map(node => [nameOf(node), node]),
    )
  }

  problem(text: string): void {
    this.problems.add(text)
  }

  /** Cost of one operation, with the defaults of its variables: a size in a default is a size. */
  operation(operation: GraphqlNode): number {
    this.#isMutation = operation['operation'] === 'mutation'
    this.#directives(operation)
    const defaults = nodes(operation['variableDefinitions']).map(definition => {
      this.#directives(definition)
      const variable = definition['variable']
      return [isNode(variable) ? nameOf(variable) : '', this.#value(definition['defaultValue'], 0)] as const
    })
    const given = Object.entries(this.#given).filter(([, value]) => value !== undefined)
    this.#variables = Object.fromEntries([...defaults, ...given])
    return this.selections(operation['selectionSet'], {
      depth: 1,
      factor: 1,
      inside: [],
      merged: new Merged(),
    })
  }

  /** Cost of a selection set. */
  selections(set: unknown, place: Place): number {
    if (!isNode(set)) return 0
    let cost = 0
    for (const selection of nodes(set['selections'])) {
      if (++this.#visits > MAX_VISITS) {
        this.problem('the query is too large')
        return Number.MAX_SAFE_INTEGER
      }
      this.#directives(selection)
      if (selection.kind === 'Field') {
        const name = nameOf(selection)
        const shown = isNode(selection['alias']) ? String(selection['alias']['value']) : name
        const { aliases = 10 } = this.#limits
        if (place.merged.add(name, shown) === aliases + 1)
          this.problem(`"${name}" is asked for under more than ${aliases} names; ask once`)
        cost += this.#field(selection, name, { ...place, merged: place.merged.in(shown) })
      } else if (selection.kind === 'InlineFragment')
        cost += this.selections(selection['selectionSet'], place)
      else if (selection.kind === 'FragmentSpread') cost += this.#spread(nameOf(selection), place)
    }
    return Math.min(cost, Number.MAX_SAFE_INTEGER)
  }

  #spread(name: string, place: Place): number {
    if (place.inside.includes(name)) {
      this.problem(`fragment "${name}" contains itself`)
      return 0
    }
    if (place.inside.length >= MAX_SPREADS) {
      this.problem(`more than ${MAX_SPREADS} fragments are spread inside of each other`)
      return 0
    }
    const fragment = this.#fragments.get(name)
    if (fragment === undefined) return 0
    this.#directives(fragment)
    return this.selections(fragment['selectionSet'], { ...place, inside: [...place.inside, name] })
  }

  #field(node: GraphqlNode, name: string, { depth, factor, inside, merged }: Place): number {
    this.depth = Math.max(this.depth, depth)
    // Nobody needs to know how much deeper it goes; and a stack is not endless.
    if (depth > 200) return factor
    const fields = this.#limits.fields ?? {}
    const own = Object.hasOwn(fields, name) ? (fields[name] ?? 1) : 1
    const inner = Math.min(factor * this.#sizeOf(node, depth), Number.MAX_SAFE_INTEGER)
    return (
      factor * own +
      this.selections(node['selectionSet'], { depth: depth + 1, factor: inner, inside, merged })
    )
  }

  /**
   * How many items a field returns: the largest of its sizes. A size that is not a
   * count is the largest there can be.
   */
  #sizeOf(node: GraphqlNode, depth: number): number {
    const { defaultSize = 1 } = this.#limits
    // What a mutation writes is data, whatever it is called.
    const isWritten = this.#isMutation && depth === 1
    let size: number | undefined
    for (const argument of nodes(node['arguments'])) {
      const name = nameOf(argument)
      const value = this.#value(argument['value'], 0)
      this.#checkLists(value, nameOf(node))
      if (value === undefined || value === null) continue
      if (this.#sizes.has(plainName(name))) {
        const count = typeof value === 'number' && value >= 0 ? Math.ceil(value) : MAX_SIZE
        size = Math.max(size ?? 0, Math.min(count, MAX_SIZE))
      } else if (!isWritten && !FILTER.test(name)) size = largest(size, sizeIn(value, this.#sizes, 0))
    }
    return Math.max(1, size ?? defaultSize)
  }

  /** Directives are validated, and may take lists, wherever they stand. */
  #directives(node: GraphqlNode): void {
    const directives = nodes(node['directives'])
    this.#visits += directives.length
    if (directives.length > MAX_DIRECTIVES)
      this.problem(`more than ${MAX_DIRECTIVES} directives stand in one place`)
    for (const directive of directives.slice(0, MAX_DIRECTIVES))
      for (const argument of nodes(directive['arguments']))
        this.#checkLists(this.#value(argument['value'], 0), `@${nameOf(directive)}`)
  }

  #checkLists(value: unknown, owner: string): void {
    const { listItems = 100 } = this.#limits
    const longest = longestList(value, 0)
    if (longest === Number.POSITIVE_INFINITY) this.#tooDeep()
    else if (longest > listItems)
      this.problem(`a list of ${longest} items in "${owner}"; ${listItems} are allowed`)
  }

  #tooDeep(): undefined {
    this.problem(`an argument is more than ${MAX_VALUE_DEPTH} lists and objects deep`)
  }

  #value(node: unknown, depth: number): unknown {
    if (!isNode(node)) return undefined
    if (depth > MAX_VALUE_DEPTH) return this.#tooDeep()
    switch (node.kind) {
      case 'IntValue':
      case 'FloatValue':
        return Number(node['value'])
      case 'Variable':
        return this.#variables[nameOf(node)]
      case 'ListValue':
        return nodes(node['values']).map(value => this.#value(value, depth + 1))
      case 'ObjectValue':
        return Object.fromEntries(
          nodes(node['fields']).map(field => [nameOf(field), this.#value(field['value'], depth + 1)]),
        )
      default:
        return node['value']
    }
  }
}

/** Infinite where it is too deep to be known. */
function longestList(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0
  if (depth > MAX_VALUE_DEPTH) return Number.POSITIVE_INFINITY
  const members = Object.values(value)
  if (members.length > MAX_MEMBERS) return members.length
  const inner = members.map(item => longestList(item, depth + 1))
  return Math.max(Array.isArray(value) ? value.length : 0, ...inner)
}

/**
 * The largest size among the members of an argument: `page: { first: 10 }`. Only a number is one there, since
 * `first` may as well be a name or an order.
 */
function sizeIn(value: unknown, sizes: ReadonlySet<string>, depth: number): number | undefined {
  if (typeof value !== 'object' || value === null || depth > MAX_VALUE_DEPTH) return undefined
  let size: number | undefined
  for (const [name, inner] of Object.entries(value).slice(0, MAX_MEMBERS)) {
    if (!Array.isArray(value) && FILTER.test(name)) continue
    const isSize = !Array.isArray(value) && sizes.has(plainName(name))
    const count = isSize && typeof inner !== 'object' && inner !== '' ? Math.ceil(Number(inner)) : Number.NaN
    size = largest(size, count >= 0 ? Math.min(count, MAX_SIZE) : sizeIn(inner, sizes, depth + 1))
  }
  return size
}

function largest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}

/** `page_size` and `PageSize` are one name. */
function plainName(name: string): string {
  return name.replaceAll('_', '').toLowerCase()
}

function nodes(value: unknown): readonly GraphqlNode[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

function isNode(value: unknown): value is GraphqlNode {
  return typeof value === 'object' && value !== null && 'kind' in value
}

function nameOf(node: GraphqlNode): string {
  const name = node['name']
  return isNode(name) ? String(name['value']) : ''
}
