/** What kind of call a value reached. */
export type SinkKind = 'sql' | 'command' | 'path' | 'url'

/** Methods that are watched, by kind. */
export const METHODS: Readonly<Record<SinkKind, readonly string[]>> = {
  sql: ['query', 'execute', 'exec', 'prepare'],
  command: ['exec', 'execSync', 'spawn', 'spawnSync', 'execFile', 'execFileSync'],
  path: [
    'readFile',
    'readFileSync',
    'writeFile',
    'writeFileSync',
    'open',
    'openSync',
    'createReadStream',
    'createWriteStream',
    'unlink',
    'unlinkSync',
    'rm',
    'rmSync',
    'readdir',
    'readdirSync',
    'stat',
    'statSync',
    'appendFile',
    'appendFileSync',
  ],
  url: ['fetch'],
}

/** Methods of prepared statements, all of whose parameters are bound. */
export const STATEMENT_METHODS: readonly string[] = ['all', 'get', 'run', 'iterate']

/** Methods of pools that hand out a connection to a callback. */
export const POOL_METHODS: readonly string[] = ['connect', 'getConnection']

/** Bound values are looked for so deep in arrays and objects. */
const DEEPEST = 3
/** Of the values of one call, so many are looked at. */
const MOST_BOUND = 1_000

/** The text that matters of a call, or undefined when nothing of it is interpreted. */
export function textOf(kind: SinkKind, method: string, parameters: readonly unknown[]): string | undefined {
  const [first] = parameters
  switch (kind) {
    case 'sql':
      return STATEMENT_METHODS.includes(method) ? undefined : statementIn(first)
    case 'url':
      return first instanceof URL ? first.href : (asString(first) ?? stringIn(first, 'url'))
    case 'path':
      return asString(first)
    case 'command':
      return commandIn(method, parameters)
  }
}

/** The text of a query, as drivers take it: a string, a configuration, a cursor. */
function statementIn(query: unknown): string | undefined {
  return (
    asString(query) ??
    stringIn(query, 'text') ??
    stringIn(query, 'sql') ??
    stringIn(partOf(query, 'cursor'), 'text')
  )
}

/** What a shell reads; undefined where there is no shell. */
function commandIn(method: string, parameters: readonly unknown[]): string | undefined {
  const [first, second] = parameters
  if (typeof first !== 'string') return undefined
  if (method === 'exec' || method === 'execSync') return first
  if (!hasShell(parameters)) return undefined
  return Array.isArray(second) ? `${first} ${second.join(' ')}` : first
}

function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** What a call hands on as data apart from its text: parameters of a statement, arguments without a shell. */
export function boundIn(kind: SinkKind, method: string, parameters: readonly unknown[]): readonly string[] {
  const found: string[] = []
  const [first, second] = parameters
  if (kind === 'sql') {
    // What a prepared statement is run with; its text was compared when it was prepared.
    if (STATEMENT_METHODS.includes(method)) collect(parameters, found, 0)
    else if (method === 'query' || method === 'execute') collect([second, partOf(first, 'values')], found, 0)
  } else if (kind === 'command' && Array.isArray(second) && !hasShell(parameters)) collect(second, found, 0)
  return found
}

function hasShell([, second, third]: readonly unknown[]): boolean {
  return [second, third].some(options => {
    const shell = partOf(options, 'shell')
    return shell !== undefined && shell !== false
  })
}

function collect(value: unknown, found: string[], depth: number): void {
  if (found.length >= MOST_BOUND || depth > DEEPEST) return
  if (typeof value === 'string') found.push(value)
  else if (Array.isArray(value)) for (const part of value) collect(part, found, depth + 1)
  else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value))
    for (const part of Object.values(value)) collect(part, found, depth + 1)
}

function partOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}

function stringIn(value: unknown, key: string): string | undefined {
  return asString(partOf(value, key))
}
