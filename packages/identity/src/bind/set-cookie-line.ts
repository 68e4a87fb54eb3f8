/** A `Set-Cookie` line of the backend, as far as it matters here. */
export interface SetCookieLine {
  readonly name: string
  readonly value: string
  /** Epoch milliseconds at which the browser drops it; undefined for the end of the browser's session. */
  readonly expiresAt: number | undefined
  readonly sameSite: 'Strict' | 'Lax' | 'None'
}

/** @param now epoch milliseconds */
export function parseSetCookie(line: string, now: number): SetCookieLine {
  const [pair = '', ...attributes] = line.split(';')
  const equals = pair.indexOf('=')
  let maxAge: number | undefined
  let expires: number | undefined
  let sameSite: SetCookieLine['sameSite'] = 'Lax'
  for (const attribute of attributes) {
    const [name = '', value = ''] = attribute.split('=', 2).map(text => text.trim())
    const lower = name.toLowerCase()
    if (lower === 'max-age' && /^-?\d+$/.test(value)) maxAge = now + Number(value) * 1_000
    else if (lower === 'expires' && !Number.isNaN(Date.parse(attribute.slice(attribute.indexOf('=') + 1))))
      expires = Date.parse(attribute.slice(attribute.indexOf('=') + 1))
    else if (lower === 'samesite' && /^strict$/i.test(value)) sameSite = 'Strict'
    else if (lower === 'samesite' && /^none$/i.test(value)) sameSite = 'None'
  }
  return {
    name: pair.slice(0, Math.max(0, equals)).trim(),
    value: pair.slice(equals + 1).trim(),
    // RFC 6265 section 4.1.2.2: Max-Age wins.
    expiresAt: maxAge ?? expires,
    sameSite,
  }
}
