import { isBody, type Place, type Reading } from './reading.ts'

/** Fields of documents that are named after SQL: what an editor of queries or a dashboard sends. */
const STATEMENT = /^(?:[\w-]{1,24}[._-])?(?:raw|native)?_?sql(?:_?(?:query|text|statement))?$/

/** What stands behind a query, is joined to it or hidden in it. */
export const MORE_THAN_ONE: RegExp = /;|--|\/\*|\bunion\b/

/** Whether a field takes whole statements of SQL: there is no other text in it to break out of. */
export function isStatementField(place: Place, name: string): boolean {
  return place === 'body' && name.length <= 64 && STATEMENT.test(name)
}

/**
 * Whether a field is the query that Amazon Athena is given. Elsewhere a field of this name is often what
 * people look for, which becomes a part of a query.
 */
export function isAthenaQuery(route: string, location: string): boolean {
  return location === 'body.QueryString' && route === 'POST /'
}

/** The name under which phpMyAdmin and others have it in the address of a page. */
const IN_ADDRESS = 'sql_query'
/** How phpMyAdmin names it in forms besides: bookmarks, views, and the bodies of routines. */
const STATEMENT_IN_FORM =
  /^(?:sql_query_for_bookmark|bkm_fields\[bkm_sql_query\]|view\[as\]|item_definition)$/
/** A row by the names of its columns and their values, and nothing else. */
const WHERE_NAME = /^where_clause(?:\[\d{1,4}\])?$/
const CONDITIONS =
  /^(?:(?:^|\sand\s)\s?(?:`\w{1,64}`\.){0,2}`\w{1,64}`\s=\s(?:-?\d{1,20}|'(?:[^'\\]|\\.){0,200}')){1,16}$/
/** One from its first word on: it stands in no other one. */
const STATEMENT_START =
  /^\s{0,8}(?:select|insert\s{1,8}(?:ignore\s{1,8})?into|update|delete\s{1,8}from|create|alter|drop|truncate|replace\s{1,8}into|show|explain|desc(?:ribe)?|with|set|use|begin|start\s{1,8}transaction|delimiter|grant|revoke|analyze|optimize|check|repair|rename)\s/
/** What asks a table for its rows. */
const ASKING_START = /^\s{0,8}(?:select|show|explain|desc(?:ribe)?)\s/

/** Whether a text is one statement that asks a table for its rows. */
export function onlyAsks(lower: string): boolean {
  return ASKING_START.test(lower) && !MORE_THAN_ONE.test(lower)
}

/** Whether a text begins with the first word of a statement. */
export function beginsLikeStatement(lower: string): boolean {
  return STATEMENT_START.test(lower)
}

/** Whether the console of a database is sent a statement: in a body, or one that only asks in an address. */
export function isConsoleStatement({ place, name, lower, isPiece, fromStart }: Reading): boolean {
  if (name.length > 64) return false
  const mayBeRow = (isBody(place) || place === 'query') && WHERE_NAME.test(name)
  if (mayBeRow) return CONDITIONS.test(lower)
  if (!STATEMENT.test(name) && !STATEMENT_IN_FORM.test(name)) return false
  if (isBody(place)) return isPiece || !fromStart || beginsLikeStatement(lower)
  return place === 'query' && name === IN_ADDRESS && onlyAsks(lower)
}
