import { KEY } from './sql-dialect.ts'
import type { Finding } from './sql-finding.ts'
import type { SqlGrammar } from './sql-grammar.ts'
import { isShortValue, isTail, wordAt } from './sql-shapes.ts'
import { selectEvidence, statementEvidence } from './sql-statement.ts'
import { TOKEN } from './sql-tokens.ts'

/** A statement behind a semicolon; the value need prove less where it left its place already. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: a list of statements, each with its evidence; the order is the rule.
export function afterSemicolon(sql: SqlGrammar, i: number, leaving: boolean): Finding | undefined {
  let at = i + 1
  while (sql.kindAt(at) === TOKEN.open) at++
  const key = sql.keyAt(at)
  if (key === KEY.select) {
    const evidence = selectEvidence(sql, at)
    if (leaving) return { id: 'sqli/stacked', score: Math.max(5, evidence), end: at + 4 }
    return evidence >= 5 ? { id: 'sqli/stacked', score: 5, end: at + 4 } : undefined
  }
  if (leaving && sql.kindAt(at) === TOKEN.comment && isTail(sql, at) && isShortValue(sql, i))
    return { id: 'sqli/comment', score: 5, end: at + 1 }
  if (key === KEY.set && sql.kindAt(at + 1) === TOKEN.variable)
    return { id: 'sqli/stacked', score: 6, end: at + 2 }
  if (key !== KEY.statement && !sql.isProbeCall(at)) return undefined
  const evidence = statementEvidence(sql, at, wordAt(sql, at), wordAt(sql, at + 1))
  if (evidence > 0) return { id: 'sqli/stacked', score: evidence, end: at + 4 }
  if (!leaving) return undefined
  const word = wordAt(sql, at)
  if (
    word === 'delete' &&
    wordAt(sql, at + 1) === 'from' &&
    sql.kindAt(at + 2) === TOKEN.word &&
    at + 3 >= sql.count
  )
    return { id: 'sqli/stacked', score: 5, end: at + 3 }
  if (sql.isProbeCall(at) && word !== 'user' && word !== 'count')
    return { id: 'sqli/stacked', score: 6, end: at + 3 }
  // `'); if (a) {` is how programs go on as well.
  const isCondition =
    sql.kindAt(at + 1) === TOKEN.open &&
    (sql.isSubquery(at + 1) || sql.isProbeCall(at + 2) || sql.comparison(at + 2) > 0)
  const call =
    (word === 'if' && isCondition) ||
    word === 'iif' ||
    word === 'call' ||
    word === 'begin' ||
    word === 'exec' ||
    word === 'waitfor'
  return call &&
    (sql.kindAt(at + 1) === TOKEN.open ||
      sql.kindAt(at + 2) === TOKEN.open ||
      sql.kindAt(at + 2) === TOKEN.dot ||
      word === 'waitfor')
    ? { id: 'sqli/stacked', score: 5, end: at + 3 }
    : word === 'shutdown' || word === 'drop' || word === 'commit'
      ? { id: 'sqli/stacked', score: 5, end: at + 2 }
      : undefined
}
