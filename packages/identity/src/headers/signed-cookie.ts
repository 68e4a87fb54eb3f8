import { createHmac, timingSafeEqual } from 'node:crypto'
import { ConfigError, givenText } from '@postern/core'

/**
 * The value of a cookie that was signed as `cookie-signature` does (express-session, @fastify/session,
 * better-auth): `value.signature`, HMAC-SHA256 in base64. Several secrets for rotation.
 * @returns undefined when no secret made the signature
 */
export function openSignedCookie(signed: string, secrets: readonly string[]): string | undefined {
  const dot = signed.lastIndexOf('.')
  if (dot <= 0) return undefined
  const value = signed.slice(0, dot)
  const given = Buffer.from(withoutPadding(signed.slice(dot + 1)))
  for (const secret of secrets) {
    const wanted = Buffer.from(withoutPadding(createHmac('sha256', secret).update(value).digest('base64')))
    if (wanted.length === given.length && timingSafeEqual(wanted, given)) return value
  }
  return undefined
}

/** What a browser sends may be all `=`: an expression for those at the end begins at each of them. */
function withoutPadding(base64: string): string {
  let end = base64.length
  while (base64[end - 1] === '=') end--
  return base64.slice(0, end)
}

/** @throws ConfigError for no secret or one that is not set or short: what it signs, everybody signs */
export function secretsOf(secret: string | readonly string[], place: string): readonly string[] {
  const secrets = typeof secret === 'object' ? secret : [secret]
  for (const one of secrets) givenText(one, place)
  if (secrets.length === 0 || secrets.some(one => one.length < 8))
    throw new ConfigError({
      place,
      problem: 'the secret is empty or shorter than 8 characters',
      hint: 'give the secret that the application signs its cookies with',
    })
  return secrets
}

/** A cookie's value as the application sees it; undefined when it is not valid percent-encoding. */
export function percentDecoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}
