const SECRET_NAME =
  /pass|pwd|secret|token|key|auth|code|sig|session|credential|jwt|otp|pin|email|phone|ssn|card/i
const MAX_QUERY = 2_048

const SECRET_INSIDE = new RegExp(`(?:${SECRET_NAME.source})[^=&;]{0,64}=`, 'i')
const PAIR = /[^&;]+/g

/**
 * A query that is safe to log: values of parameters whose name looks secret or personal become `***`, and so
 * do values that hold such a parameter themselves (`next=/reset?token=...`). The query is cut to 2,048
 * characters first, at a parameter boundary.
 */
export function redactQuery(query: string): string {
  if (query === '') return ''
  const bounded =
    query.length > MAX_QUERY ? query.slice(0, Math.max(0, query.lastIndexOf('&', MAX_QUERY))) : query
  if (!SECRET_NAME.test(bounded) && !bounded.includes('%')) return bounded
  return bounded.replace(PAIR, redactPair)
}

function redactPair(pair: string): string {
  const equals = pair.indexOf('=')
  if (equals <= 0) return pair
  const name = pair.slice(0, equals)
  return SECRET_NAME.test(decode(name)) || SECRET_INSIDE.test(unescaped(decode(pair.slice(equals + 1))))
    ? `${name}=***`
    : pair
}

/** Addresses in addresses in addresses, whose escapes are escaped once more each. */
const MAX_NESTING = 3

/** A decoded value without the escapes of what stands in it: the address to go on to has its own query. */
function unescaped(value: string): string {
  let text = value
  for (let i = 0; i < MAX_NESTING && text.includes('%'); i++)
    text = text.replace(/%([0-7][\da-f])/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  return text
}

/** A value that cannot be decoded is treated as secret. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return 'secret='
  }
}
