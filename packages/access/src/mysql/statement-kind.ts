import { ConfigError } from '@postern/core'
import type { RowAction } from '../budget/budget.ts'

/** What a statement is, as far as counting needs to know. */
export type StatementKind =
  | { readonly is: 'read' | 'begin' | 'commit' | 'rollback' | 'neutral' }
  | {
      readonly is: 'change'
      /** The verb, lower-case: `delete`. */
      readonly verb: string
      /** The one table that it names as its target; undefined where that is not plain to see. */
      readonly table: string | undefined
    }

/** What a verb does to the rows of its target. */
export const ACTION_OF: Readonly<Record<string, RowAction>> = {
  delete: 'delete',
  update: 'update',
  insert: 'insert',
  replace: 'insert',
  load: 'insert',
}

/** White space, comments and parentheses in front of the first word. */
const LEAD = /^(?:[\s(]|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|\/\*(?!M?!)[\s\S]*?\*\/)*/
const READS: ReadonlySet<string> = new Set([
  'SELECT',
  'TABLE',
  'VALUES',
  'SHOW',
  'EXPLAIN',
  'DESCRIBE',
  'DESC',
])
const CHANGES: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE'])
const LOADED = /^LOAD\s+(?:DATA|XML)\b/i
// A comment ends at its first end only: one that could end at the next too would be tried in 2^n ways.
const INTO_FILE =
  /INTO(?:\s|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$))+(?:OUTFILE|DUMPFILE)\b/i
// Space is matched by one part only: by three of them, a hundred signs of it would take a million steps.
const BEGIN =
  /^(?:BEGIN(?:\s+WORK)?\s*|START\s+TRANSACTION(?:[\s,]+(?:READ\s+WRITE|WITH\s+CONSISTENT\s+SNAPSHOT))*[\s,]*)(?:;\s*)?$/i
const END = /^(COMMIT|ROLLBACK)(?:\s+WORK)?\s*(?:;\s*)?$/i
const SAVEPOINT =
  /^(?:SAVEPOINT|RELEASE\s+SAVEPOINT|ROLLBACK(?:\s+WORK)?\s+TO(?:\s+SAVEPOINT)?)\s+[`\w]+\s*(?:;\s*)?$/i
const SETS_ISOLATION = /^SET\s+(?:SESSION\s+)?TRANSACTION\s+ISOLATION\s+LEVEL\s+[\w\s]+(?:;\s*)?$/i
const SETS_TOO_MUCH =
  /\b(?:transaction|autocommit|completion_type|tx_\w+|transaction_\w+|read_only|statement|global|persist|role|password)\b/i
const TARGET =
  /^(?:DELETE(?:\s+(?:LOW_PRIORITY|QUICK|IGNORE))*\s+FROM|UPDATE(?:\s+(?:LOW_PRIORITY|IGNORE))*|(?:INSERT|REPLACE)(?:\s+(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE))*(?:\s+INTO)?)\s+(?:`?\w+`?\s*\.\s*)?`?(\w+)`?(?=\s+(?!AS\b|JOIN\b|USING\b|LEFT\b|RIGHT\b|INNER\b|CROSS\b|STRAIGHT_JOIN\b|NATURAL\b)(?:WHERE|SET|ORDER|LIMIT|VALUES?|SELECT|RETURNING)\b|\s*\(|\s*;?\s*$)/i

/**
 * Says what a statement is. What could change rows past the count, end the transaction by itself or cannot be
 * rolled back is refused: only statements whose first word is known to be harmless pass.
 * @throws ConfigError for those
 */
export function statementKind(text: string): StatementKind {
  if (/\/\*M?!/.test(text)) throw refused('a comment that is executed')
  const bare = text.slice(LEAD.exec(text)?.[0].length ?? 0)
  const verb = (/^[A-Za-z]+/.exec(bare)?.[0] ?? '').toUpperCase()
  if (INTO_FILE.test(bare)) throw refused('SELECT INTO a file')
  if (READS.has(verb)) return { is: 'read' }
  if (isChange(verb, bare)) return { is: 'change', verb: verb.toLowerCase(), table: TARGET.exec(bare)?.[1] }
  if (verb === 'WITH') {
    const isChange = /\b(?:DELETE|UPDATE|INSERT|REPLACE)\b/i.test(bare)
    return isChange ? { is: 'change', verb: 'with', table: undefined } : { is: 'read' }
  }
  if (BEGIN.test(bare)) return { is: 'begin' }
  const end = END.exec(bare)?.[1]
  if (end !== undefined) return { is: end.toUpperCase() === 'COMMIT' ? 'commit' : 'rollback' }
  if (SAVEPOINT.test(bare) || verb === 'USE' || SETS_ISOLATION.test(bare)) return { is: 'neutral' }
  if (verb === 'SET' && !SETS_TOO_MUCH.test(bare)) return { is: 'neutral' }
  throw refused(verb === '' ? 'a statement without a first word' : verb)
}

/** LOAD INDEX changes no row, and commits. */
function isChange(verb: string, bare: string): boolean {
  return CHANGES.has(verb) || (verb === 'LOAD' && LOADED.test(bare))
}

function refused(what: string): ConfigError {
  return new ConfigError({
    place: 'guardMysql',
    problem: `${what} cannot be counted, or ends the transaction by itself`,
    hint: 'use a connection without a guard for migrations and maintenance, and statements of their own for changes',
  })
}
