import { createHash } from 'node:crypto'
import type { Answer } from '@postern/core'
import type { Client } from 'oidc-provider'

const SCRIPT = /<script>([\s\S]*?)<\/script>/

/**
 * An answer of the OAuth server with what a browser must know of it. The page that posts an answer to a
 * client (`response_mode=form_post`) comes from its library, which leaves that to us: it must run no script
 * but its own, be in no frame, and tell nobody where it was.
 */
export function withPagePolicy(answer: Answer): Answer {
  const at = answer.headers.findIndex((name, index) => index % 2 === 0 && /^content-type$/i.test(name))
  if (at < 0 || !/^text\/html\b/i.test(answer.headers[at + 1] ?? '')) return answer
  // Its script stands before anything that a request or a client can say.
  const script = SCRIPT.exec(Buffer.from(answer.body).toString('utf8'))?.[1]
  const hash = script === undefined ? undefined : createHash('sha256').update(script).digest('base64')
  const scripts = hash === undefined ? '' : ` script-src 'sha256-${hash}';`
  const headers = [
    ...answer.headers,
    'Content-Security-Policy',
    `default-src 'none';${scripts} base-uri 'none'; frame-ancestors 'none'`,
    'X-Content-Type-Options',
    'nosniff',
    'X-Frame-Options',
    'DENY',
    'Referrer-Policy',
    'no-referrer',
  ]
  return { ...answer, headers }
}

/**
 * Whether pages of an origin may read what the server answers a client: those of the sites that the client
 * is sent back to. Whoever has no code and no verifier of it learns nothing.
 */
export function isOriginOf(origin: string, { redirectUris }: Pick<Client, 'redirectUris'>): boolean {
  // A page without an origin, and schemes of applications, are all the same `null`.
  if (origin === 'null' || redirectUris === undefined) return false
  return redirectUris.some(uri => URL.canParse(uri) && new URL(uri).origin === origin)
}
