import { systemClock } from '@postern/core'
import type { ApiKey } from '@postern/identity/built-in'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { wholeList } from './whole-list.ts'
import { withIdentity } from './with-identity.ts'

/** `postern keys list`: every key, live ones first: what it may and when it was used, never the key. */
export const run: Command = async (_args, options, context) => {
  const keys = await withIdentity(options, context, identity =>
    wholeList(context.output, limit => identity.apiKeys.listAll(limit)),
  )
  for (const key of keys) {
    const owner = safe(`${key.owner.kind}:${key.owner.id}`)
    context.output.line(
      `${key.id}  ${stateOf(key, systemClock.now()).padEnd(8)}  ${owner.padEnd(24)}  ${safe(key.name)}  ${safe(detailsOf(key))}`,
    )
    context.output.result(key)
  }
  if (keys.length === 0) context.output.line('there are no API keys: postern keys create SERVICE')
  return EXIT.done
}

function stateOf({ revokedAt, revokedWhy, expiresAt }: ApiKey, now: number): string {
  if (revokedAt !== undefined) return safe(`revoked (${revokedWhy ?? ''})`)
  return expiresAt !== undefined && expiresAt <= now ? 'expired' : 'live'
}

/** What a key may, from where, until when, and when it was used last. */
function detailsOf({ scopes, networks, createdBy, expiresAt, usedAt, replacedBy }: ApiKey): string {
  return [
    scopes.length === 0 ? 'no scopes' : `scopes ${scopes.join(' ')}`,
    networks.length === 0 ? 'from anywhere' : `from ${networks.join(' ')}`,
    ...(createdBy === undefined ? [] : [`made by ${createdBy}`]),
    expiresAt === undefined ? 'does not expire' : `until ${dayOf(expiresAt)}`,
    usedAt === undefined ? 'never used' : `last used ${dayOf(usedAt)}`,
    ...(replacedBy === undefined ? [] : [`replaced by ${replacedBy}`]),
  ].join(', ')
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 16).replace('T', ' ').concat('Z')
}
