import { isUnbroken } from '../value/unbroken-statement.ts'

/** Where Request Tracker takes a search for tickets, and `query` is the whole of it. */
const ADDRESS =
  /^(?:GET|POST) (?:\/[\w.-]{1,40}){0,2}\/(?:search\/(?:results|build|edit|chart|bulk|calendar)(?:\.html|\.tsv|\.rdf)?|rest\/[12]\.0\/(?:tickets|search\/ticket))\/?$/i
const NAME = /^query$/
/** A field of a ticket, an operator, and a word, a number or a text of words. */
const CONDITION =
  /(?:[a-z]{2,24}(?:\.(?:[a-z]{2,24}|\{[\w -]{1,60}\})){0,3}|'(?:[a-z]{2,24}\.)?(?:cf|customfield)\.\{[\w -]{1,60}\}')\s{0,4}(?:(?:not\s{1,4})?(?:like|startswith|endswith)|!?=|[<>]=?|is(?:\s{1,4}not)?)\s{0,4}(?:'(?:[^'\\]|\\['\\]){0,200}'|"[^"\\']{0,200}"|-?\d{1,12}|null)/g
const JOINED = /^[\s()]*c(?:[\s)]+(?:and|or)[\s(]+c)*[\s()]*$/
const LONGEST = 2_000
/** What comparisons of somebody else's query look like. */
const LOOKS_LIKE = 'sqli/tautology'

/** Whether what was found is in a search for tickets, which is one from its first word to its last. */
export function isTicketSearch(id: string, route: string, name: string, lower: string): boolean {
  if (id !== LOOKS_LIKE || !NAME.test(name) || lower.length > LONGEST || !ADDRESS.test(route)) return false
  return JOINED.test(lower.replace(CONDITION, 'c')) && isUnbroken(lower.replaceAll("\\'", ' '))
}
