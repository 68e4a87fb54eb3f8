const SECRET_NAME =
  /pass|pwd|secret|token|key|auth|code|sig|session|credential|jwt|otp|pin|email|phone|ssn|card/i
const MAX_QUERY = 2_048

/**
 * A query that may be written down: values of parameters whose name looks secret or personal become `***`.
 * The query is cut to 2,048 characters first, at a parameter boundary.
 */
export function redactQuery(query: string): string {
  if (query === '') return ''
  const bounded = query.length > MAX_QUERY ? query.slice(0, query.lastIndexOf('&', MAX_QUERY) + 1) : query
  if (!SECRET_NAME.test(bounded) && !bounded.includes('%')) return bounded
  return bounded
    .split('&')
    .map(pair => {
      const equals = pair.indexOf('=')
      return equals > 0 && SECRET_NAME.test(decodeName(pair.slice(0, equals)))
        ? `${pair.slice(0, equals)}=***`
        : pair
    })
    .join('&')
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return 'secret'
  }
}
