/** Longer filters are not looked at. */
const LONGEST = 1_000

/** What joins filters, behind an opening bracket. */
const JOINED = /^\([&|!]$/
/** An attribute and what it is compared with, which holds no bracket. */
const COMPARED = /^\([\w.;:-]{1,64}[~<>]?=[^()]{0,200}$/

/** Whether a text is one LDAP filter from its first bracket to its last, and complete (RFC 4515). */
export function isWholeFilter(text: string): boolean {
  const filter = text.trim()
  if (filter.length > LONGEST || !filter.startsWith('(')) return false
  const parts = filter.split(/(?=[()])/)
  let depth = 0
  for (const [at, part] of parts.entries()) {
    const known = part.trim()
    if (known === ')') depth--
    else if (JOINED.test(known) || COMPARED.test(known)) depth++
    else return false
    // Nothing stands behind the bracket that closes the first one.
    if (depth === 0) return at === parts.length - 1
  }
  return false
}
