/** What pages of Mercurial (hgweb, Kallithea, RhodeCode) call the revisions that they show. */
const NAME = /^revs?(?:et)?$/
/** Functions of its language for sets of revisions; none of them reads a file or runs anything. */
const CALLED: ReadonlySet<string> = new Set(
  (
    'adds all ancestor ancestors author bisect bookmark branch branchpoint children closed contains converted ' +
    'date desc descendants draft file filelog first follow grep head heads id keyword last limit matching max ' +
    'merge min modifies none not obsolete only outgoing p1 p2 parents public removes rev reverse roots secret ' +
    'sort tag user and or'
  ).split(' '),
)
/** Calls, names and operators, of which none compares. */
const SHAPE = /^[\w\s():.,~^&|!+-]{1,400}$/
/** A text that a function is given, whole: a quote elsewhere may end a text of somebody else's query. */
const GIVEN = /(?<=[(,]\s{0,4})'[<>]?[\w\s:.-]{0,200}'(?=\s{0,4}[),])/g
const LONGEST = 400
const COMMENT = '--'
const CALL = /(\w{1,24})\s{0,4}\(/g
/** What one call looks like to rules about queries and programs. */
const LOOKS_LIKE: ReadonlySet<string> = new Set(['sqli/call', 'code/php-start'])

/** Whether what was found is a set of revisions where Mercurial takes one: `user('ann')`. */
export function isRevisionQuery(id: string, name: string, lower: string): boolean {
  if (!LOOKS_LIKE.has(id) || !NAME.test(name) || lower.length > LONGEST || lower.includes(COMMENT))
    return false
  if (!SHAPE.test(lower.replace(GIVEN, ''))) return false
  for (const [, called = ''] of lower.matchAll(CALL)) if (!CALLED.has(called)) return false
  return true
}
