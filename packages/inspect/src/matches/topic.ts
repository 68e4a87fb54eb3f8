import type { Reading } from '../value/reading.ts'
import { isTitleField } from '../value/value-setting.ts'

/** Where people look for something. */
const SEARCHED = /^(?:q|query|search|s|keywords?|terms?|search_?(?:terms?|query|text))$/
/** Where nothing but a search takes what is asked for: `q` names the page in some programs. */
const SEARCHED_ONLY = /^(?:search|s|keywords?|terms?|search_?(?:terms?|query|text))$/
/** Longest topic that is looked at. */
const LONGEST = 120

/** Two words of SQL as people write them: an attack on a filter mixes cases, or has signs around. */
const UNION =
  /^(?:union(?: all| distinct)? select|UNION(?: ALL| DISTINCT)? SELECT|Union(?: [Aa]ll| [Dd]istinct)? [Ss]elect)$/
/**
 * A shell that is to read what a program fetches that is given no address, with a sentence behind: the shell
 * takes the next word for its script, reads nothing of the pipe, and what a program puts behind the value is
 * an argument of that script.
 */
const PIPED =
  /^(?:(?:about|against|avoid|does|how|is|on|should|the|using|what|when|why)(?: [a-z]{1,16}){0,6} )?(?:curl|wget) ?\| ?(?:ba|da|k|z)?sh (?:considered|installers?|is|isn't|vs|was|with)(?: [a-z]{1,24}){1,12}[.!?]?$/
/** A function by its name, that does nothing without what it is to run; words behind make it no code. */
const CALLED =
  /^(?:assert|eval|exec|passthru|popen|shell_exec|system)\(\)(?: (?:considered|is|with)(?: [a-z]{1,24}){1,6}| (?:vs|versus) (?:eval|exec|fork|spawn|system)\(\))?[.!?]?$/
/** As above; what it shows nobody gets, for no language takes two names side by side. */
const SHOWN =
  /^phpinfo\(\) (?:blank|disabled|displays|not|output|page|says|shows|warning)(?: [a-z]{1,24}){0,6}[.!?]?$/
/** One property of the page, that nothing is done with. */
const PROPERTY = /^(?:document\.(?:cookie|domain|location)|window\.location)$/
/** The name of a file alone. */
const FILE = /^[\w-]{1,32}\.php$/

/** What is a topic, under the rule that takes it for more. */
const TOPICS: ReadonlyMap<string, RegExp> = new Map([
  ['sqli/union-alone', UNION],
  ['rce/command', PIPED],
  ['rce/into-shell', PIPED],
  ['code/php-start', CALLED],
  ['xss/whole-call', CALLED],
  ['code/php-buried-call', SHOWN],
  ['xss/page-object', PROPERTY],
  ['traversal/settings-file', FILE],
])

/**
 * Whether somebody looks for a topic, or puts it over a text: the bare words of it from the first to the
 * last, which break out of nothing and complete nothing, so that they act nowhere. Only in fields that take
 * such words: two parameters side by side can be halves of one attack.
 */
export function isTopic(id: string, reading: Reading): boolean {
  const topic = TOPICS.get(id)
  if (topic === undefined || reading.text.length > LONGEST) return false
  const { name } = reading
  const isField =
    id === 'traversal/settings-file' ? SEARCHED_ONLY.test(name) : SEARCHED.test(name) || isTitleField(reading)
  return isField && topic.test(topic === UNION ? reading.text.trim() : reading.lower.trim())
}
