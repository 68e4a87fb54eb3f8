import type { CompiledConfig, CompiledIdentifyMethod } from '@postern/config'
import type { RouteSettings } from '@postern/core'
import type { BuiltInIdentity } from '@postern/identity/built-in'
import { makerNotes } from './machines-without-maker.ts'

/** Kinds of methods in which somebody else says who people are. */
const ISSUERS = [
  'jwt',
  'auth0',
  'clerk',
  'cognito',
  'keycloak',
  'entra',
  'cloudflareAccess',
  'introspection',
] as const satisfies readonly (keyof CompiledIdentifyMethod)[]

/** How many routes one line names. */
const MOST_NAMED = 10

/** What a start says of who people are, and of who may approve. */
export async function startNotes(
  config: CompiledConfig,
  identity: Pick<BuiltInIdentity, 'apiKeys'> | undefined,
): Promise<readonly string[]> {
  return [...strangersOnly(config), ...sharedIds(config), ...(await makerNotes(config, identity))]
}

/**
 * Routes that require something of callers where nothing says who calls: they refuse everybody. Not an error
 * of the configuration, for commands read it without what the application passes in code.
 */
function strangersOnly({ identify, identity, routes }: CompiledConfig): readonly string[] {
  if (identify !== undefined || identity !== undefined) return []
  const vain = [...routes.guarded]
    .filter(([, { require, approve }]) => approve !== undefined || demandsSomebody(require))
    .map(([pattern]) => `"${pattern}"`)
  if (vain.length === 0) return []
  const more = vain.length > MOST_NAMED ? ` and ${vain.length - MOST_NAMED} more` : ''
  return [
    `routes: ${vain.slice(0, MOST_NAMED).join(', ')}${more} refuse every request, because nothing says who sends it; set identify or identity`,
  ]
}

function demandsSomebody(require: RouteSettings['require']): boolean {
  return require !== undefined && ![require.kind ?? []].flat().includes('anonymous')
}

/**
 * Issuers whose ids are not told apart: an id is one person for one issuer only (RFC 7519 section 4.1.2), so
 * that each can name its people as those of another.
 */
function sharedIds({ identify, identity }: CompiledConfig): readonly string[] {
  if (identify === undefined || typeof identify.by === 'string' || typeof identify.by === 'function')
    return []
  const issuers = new Map<string, Map<string, string>>()
  const add = (prefix: string, issuer: string, name: string): void => {
    const sharing = issuers.get(prefix) ?? new Map<string, string>()
    issuers.set(prefix, sharing.set(issuer, sharing.get(issuer) ?? name))
  }
  if (identity !== undefined) add('', 'built-in', 'built-in identity')
  for (const method of identify.by.methods)
    if (ISSUERS.some(kind => method[kind] !== undefined))
      add(method.prefix ?? '', method.jwt?.issuer ?? `method ${method.name}`, method.name)
  return [...issuers.values()]
    .filter(sharing => sharing.size > 1)
    .map(
      sharing =>
        `identify: ids of ${[...sharing.values()].join(', ')} are not told apart: each can name its people as those of another; give all but one a prefix`,
    )
}
