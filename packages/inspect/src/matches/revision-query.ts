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
/** Calls, names and operators; between quotes nothing that ends them. */
const SHAPE = /^[\w\s():.,~^&|!+<>='-]{1,400}$/
const COMMENT = '--'
const CALL = /(\w{1,24})\s{0,4}\(/g
/** What one call looks like to rules about queries and programs. */
const LOOKS_LIKE: ReadonlySet<string> = new Set(['sqli/call', 'code/php-start'])

/** Whether what was found is a set of revisions where Mercurial takes one: `user('ann')`. */
export function isRevisionQuery(id: string, name: string, lower: string): boolean {
  if (!LOOKS_LIKE.has(id) || !NAME.test(name) || !SHAPE.test(lower) || lower.includes(COMMENT)) return false
  for (const [, called = ''] of lower.matchAll(CALL)) if (!CALLED.has(called)) return false
  return true
}
