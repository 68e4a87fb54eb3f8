/** Tables that rows of others follow: the server does not count what a foreign key deletes or edits. */
export const FOLLOWED = `
  SELECT DISTINCT REFERENCED_TABLE_NAME AS name, DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION') AS deletes, UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION') AS updates
  FROM information_schema.REFERENTIAL_CONSTRAINTS
  WHERE DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION') OR UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION')`

/** A table whose rows others follow. */
export interface Followed {
  readonly name: RegExp
  readonly deletes: boolean
  readonly updates: boolean
}

/** What a row of `FOLLOWED` says. */
export function followedOf(row: Readonly<Record<string, unknown>>): Followed {
  const name = String(row['name'])
  const spelt = [name, name.replaceAll('`', '``'), name.replaceAll('"', '""')].map(escaped).join('|')
  return {
    name: new RegExp(`(?<![\\w$])(?:${spelt})(?![\\w$])`, 'i'),
    deletes: Number(row['deletes']) === 1,
    updates: Number(row['updates']) === 1,
  }
}

/** Whether a statement names a table whose keys could delete or edit rows of others with it. */
export function cascades(followed: readonly Followed[], verb: string, text: string): boolean {
  const deletes = verb === 'delete' || verb === 'with' || isOverwriting(verb, text)
  const updates = verb === 'update' || verb === 'with' || isOverwriting(verb, text)
  return followed.some(
    table => ((deletes && table.deletes) || (updates && table.updates)) && table.name.test(text),
  )
}

/** Whether rows that are inserted can take the place of others, or edit them. */
export function isOverwriting(verb: string, text: string): boolean {
  switch (verb) {
    case 'replace':
      return true
    case 'insert':
      return /\bDUPLICATE\b/i.test(text)
    case 'load':
      return /\bREPLACE\b/i.test(text)
    default:
      return false
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
