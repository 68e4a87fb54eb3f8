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

/** A comparison of a capability of OSGi (Core 8, section 3.3), with no sign in it that means more. */
const CAPABILITY =
  '\\(\\s?(?:osgi\\.[a-z.]{2,40}|version|bundle-version|bundle-symbolic-name)\\s?[<>~]?=\\s?[\\w.:+-]{1,64}\\)'
const CAPABILITIES = new RegExp(
  `\\([&|]\\s?(?:${CAPABILITY}|\\(!\\s?${CAPABILITY}\\)|\\([&|]\\s?(?:${CAPABILITY}){1,8}\\)){1,16}\\)`,
  'g',
)

/** A text in lower case with spaces for the filters that choose parts of a program for a bundle of OSGi. */
export function withoutCapabilities(lower: string): string {
  return lower.includes('(osgi.') ? lower.replace(CAPABILITIES, whole => ' '.repeat(whole.length)) : lower
}
