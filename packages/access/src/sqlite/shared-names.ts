import type { DatabaseSync } from 'node:sqlite'
import { ConfigError } from '@postern/core'

/** Columns that may not be read, in lower case, by the name of their table. */
export type HiddenColumns = ReadonlyMap<string, ReadonlySet<string>>

/**
 * What SQLite reads as one word: white space and comments, quoted names and texts (which can be names too),
 * variables, names and keywords. A byte order mark is white space in front of a word and a letter within.
 */
const WORD =
  /\uFEFF|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'([^']*(?:''[^']*)*)'|"([^"]*(?:""[^"]*)*)"|`([^`]*(?:``[^`]*)*)`|\[([^\]]*)(?:\]|$)|\?\d*|[$@#:](?:[\w$\u0080-\uFFFF]|::)*(?:\([^) \t-\r]*\)?)?|([\w$\u0080-\uFFFF]+)|[()*]/g

interface Word {
  readonly text: string
  readonly isQuoted: boolean
}

/**
 * Finds what SQLite asks its authorizer nothing about: a join by columns of the same name (`USING`,
 * `NATURAL`) that compares a hidden one, and returns it in a full join; and an `INSERT` of all of a table
 * into one that is made alike, which copies it without a look at its columns.
 * @returns the table whose column it is
 * @see https://sqlite.org/src/file/src/insert.c `xferOptimization`
 */
function readsHidden(sql: string, hidden: HiddenColumns): string | undefined {
  if (!/using|natural|insert|replace/i.test(sql)) return undefined
  const words = wordsOf(sql)
  const isNatural = words.some(({ text, isQuoted }) => !isQuoted && text === 'natural')
  const joined = joinedColumns(words)
  for (const { text } of words) {
    const columns = hidden.get(text)
    if (columns === undefined || columns.size === 0) continue
    if (isNatural || joined.some(name => columns.has(name))) return text
  }
  return copiedWhole(words).find(name => (hidden.get(name)?.size ?? 0) > 0)
}

function wordsOf(sql: string): readonly Word[] {
  const words: Word[] = []
  for (const [all, text, double, back, square, bare] of sql.matchAll(WORD)) {
    const quoted =
      text?.replaceAll("''", "'") ?? double?.replaceAll('""', '"') ?? back?.replaceAll('``', '`') ?? square
    if (quoted !== undefined) words.push({ text: quoted.toLowerCase(), isQuoted: true })
    else if (bare !== undefined) words.push({ text: bare.toLowerCase(), isQuoted: false })
    else if (all === '(' || all === ')' || all === '*') words.push({ text: all, isQuoted: false })
  }
  return words
}

/** Names in the parentheses behind each `USING`. */
function joinedColumns(words: readonly Word[]): readonly string[] {
  const names: string[] = []
  let isIn = false
  for (const [place, { text, isQuoted }] of words.entries()) {
    const before = words[place - 1]
    if (!isQuoted && text === ')') isIn = false
    else if (!isQuoted && text === '(') isIn = before?.isQuoted === false && before.text === 'using'
    else if (isIn) names.push(text)
  }
  return names
}

/** Names behind each `* FROM` of a text that inserts: a table, or its schema and the table. */
function copiedWhole(words: readonly Word[]): readonly string[] {
  const is = (at: number, text: string): boolean => words[at]?.text === text && words[at]?.isQuoted === false
  if (!words.some((_, at) => is(at, 'insert') || is(at, 'replace'))) return []
  const names: string[] = []
  for (let at = 0; at < words.length; at++) {
    if (!is(at, '*') || !is(at + 1, 'from')) continue
    let first = at + 2
    while (is(first, '(')) first++
    for (const { text } of words.slice(first, first + 2)) names.push(text)
  }
  return names
}

const SCHEMA = `SELECT name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger') AND name NOT LIKE 'postern~_%' ESCAPE '~'
  UNION ALL SELECT name, sql FROM sqlite_temp_schema WHERE type IN ('view', 'trigger')`

/**
 * Looks at each text that is given to a connection before SQLite does.
 * @param isOn whether texts are looked at now
 * @throws ConfigError when a view or trigger of the database joins by a hidden column
 */
export function refuseHiddenJoins(db: DatabaseSync, hidden: HiddenColumns, isOn: () => boolean): void {
  const check = (sql: unknown, place = 'guardSqlite'): void => {
    const table = typeof sql === 'string' && isOn() ? readsHidden(sql, hidden) : undefined
    if (table !== undefined)
      throw new ConfigError({
        place,
        problem: `joins or copies "${table}" by a column that may not be read`,
        hint: 'name columns that may be read, in ON in place of USING or NATURAL, and in place of *',
      })
  }
  for (const { name, sql } of db.prepare(SCHEMA).all()) check(sql, String(name))
  const { prepare, exec, createTagStore } = db
  db.prepare = (...args) => {
    check(args[0])
    return prepare.apply(db, args)
  }
  db.exec = sql => {
    check(sql)
    exec.call(db, sql)
  }
  // Not in every version of Node.
  if (typeof createTagStore !== 'function') return
  db.createTagStore = (...args) => {
    const store = createTagStore.apply(db, args)
    for (const method of ['get', 'all', 'iterate', 'run'] as const) {
      const own = store[method]
      Reflect.set(store, method, (parts: TemplateStringsArray, ...values: unknown[]) => {
        check(parts.join('?'))
        return Reflect.apply(own, store, [parts, ...values])
      })
    }
    return store
  }
}
