// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** How base64url of a JSON object begins that begins with a name. */
const OBJECT = 'eyJ'
/** Where it does behind `JWT`, `DPoP` (RFC 9449), `Token` and `Bearer` (RFC 6750), first and last. */
const FIRST_START = 4
const LAST_START = 7
/**
 * A token in its compact form: signed, of three parts (RFC 7515 section 7.1), or encrypted, of five
 * (RFC 7516 section 7.1).
 */
const COMPACT =
  /^(?:[A-Za-z]{3,6} )?(eyJ[\w-]{6,8192})\.([\w-]{0,32768})\.[\w-]{0,32768}(?:\.[\w-]{0,32768}\.[\w-]{0,1024})?={0,2}$/
/** What every header of one names: its algorithm (RFC 7515 section 4.1.1). */
const ALGORITHM = '"alg"'

/** Whether a text begins as a token does, alone or behind the name of a scheme. */
export function beginsLikeToken(text: string): boolean {
  if (charCodeAt.call(text, 0) === LETTER_E && text.startsWith(OBJECT)) return true
  // Asked of every text: a few numbers are compared, and nothing else of most.
  for (let start = FIRST_START; start <= LAST_START; start++)
    if (charCodeAt.call(text, start) === LETTER_E && text.startsWith(OBJECT, start)) return true
  return false
}

const LETTER_E = 101

/** Whether a text has the form of a token. */
export function isToken(text: string): boolean {
  return beginsLikeToken(text) && text.includes('.') && COMPACT.test(text)
}

/**
 * The header and the claims of a JSON Web Token (RFC 7519) as a JSON array; undefined when a text is not a
 * token.
 * What they say is anybody's word until the signature is checked, and the header is read before that. Of an
 * encrypted token there is the header alone.
 */
export function tokenText(text: string): string | undefined {
  // Other objects in base64 have no dots: the expression would read them to their end.
  if (!beginsLikeToken(text) || !text.includes('.')) return undefined
  const found = COMPACT.exec(text)
  if (found === null) return undefined
  const header = Buffer.from(found[1] as string, 'base64url').toString()
  if (!header.includes(ALGORITHM)) return undefined
  const claims = Buffer.from(found[2] as string, 'base64url').toString()
  return claims.trimStart().startsWith('{') ? `[${header},${claims}]` : `[${header}]`
}
