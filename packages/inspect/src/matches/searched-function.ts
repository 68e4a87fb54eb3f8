import { isOperandParameter } from '../value/value-setting.ts'

/** What calls of functions are taken for. */
const LOOKS_LIKE: ReadonlySet<string> = new Set(['sqli/hollow-call', 'sqli/call', 'code/php-start'])
/** A function of mathematics of one letter, and nothing more: a query has no column `x`, and fails. */
const OF_A_VARIABLE =
  /^\s{0,4}(?:a?(?:sin|cos|tan|cot)|exp|sqrt|log|abs|round|floor|ceil(?:ing)?|sign)\s?\(\s?-?\d{0,3}[a-z]\s?\)\s{0,4}$/
/** The name of a function as people write it, which does nothing, or tells the time, a number or nothing. */
const NAMED =
  /^\s{0,4}(?:date|now|print|printf|rand|sleep|length|round|trim|lower|upper|concat|substring)\(\)\s{0,4}$/
/** What a query is put together of, by the names of columns. */
const ORDERED = /(?:sort|order|group|column|field|select|where|having|filter)/
/** Where people look for something. */
const SEARCH = /^(?:q|query|search|s|keywords?|term)$/

/** Whether somebody looks for a function by its name, or writes one of mathematics: `sin(x)`, `date()`. */
export function isSearchedFunction(id: string, name: string, lower: string): boolean {
  if (!LOOKS_LIKE.has(id) || lower.length > 40) return false
  if (OF_A_VARIABLE.test(lower)) return !isOperandParameter(name) && !ORDERED.test(name)
  return SEARCH.test(name) && NAMED.test(lower)
}
