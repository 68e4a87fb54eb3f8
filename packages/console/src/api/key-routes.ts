import type { ApiKey, NewApiKey } from '@postern/identity/built-in'
import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import { bodyText, bodyTexts, pathText } from './call-values.ts'
import { identityOf } from './identity-of.ts'

const KEY_ID = /^[0-9A-Za-z]{1,32}$/
const KEY = {
  id: 'string',
  name: 'string',
  environment: 'string',
  owner: { kind: 'user|service', id: 'string' },
  scopes: ['string'],
  networks: ['string'],
  createdAt: 'time',
  createdBy: 'string?',
  expiresAt: 'time?',
  usedAt: 'time?',
  revokedAt: 'time?',
  revokedWhy: 'string?',
  replacedBy: 'string?',
  isLive: 'boolean',
} as const

/** API keys of built-in identity: what `postern keys` does. */
export const keyRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/keys',
    role: 'viewer',
    summary:
      'API keys, live ones before others and of each the newest first, 1,000 at most; never the key itself.',
    answer: '`keys`; `kept` is false where the configuration has no `identity`. `usedAt` is to the minute.',
    shape: { kept: 'boolean', keys: [KEY] },
    handle: async ({ parts }) => {
      if (parts.identity === undefined) return { kept: false, keys: [] }
      const now = parts.clock.now()
      return { kept: true, keys: (await parts.identity.apiKeys.listAll()).map(key => shown(key, now)) }
    },
  },
  {
    method: 'POST',
    path: '/keys',
    role: 'administrator',
    summary: 'Makes a key for a service. It is in this answer and nowhere else.',
    body: {
      service: { type: 'string', required: true, description: 'The principal that the key is.' },
      name: { type: 'string', description: 'For people. Default: the service.' },
      scopes: { type: 'strings', description: 'What it may. Default: none.' },
      networks: { type: 'strings', description: 'Where it may be used from. Default: anywhere.' },
      expires: { type: 'string', description: 'How long it lives: `90d`. Default: forever.' },
      environment: { type: 'string', description: 'A word in the key. Default: `live`.' },
    },
    answer: '`text`, the key, shown this once; `id`.',
    shape: { text: 'string', id: 'string' },
    handle: create,
  },
  {
    method: 'DELETE',
    path: '/keys/{key}',
    role: 'operator',
    summary: 'Revokes a key: it is refused from the next request on.',
    answer: '`revoked`.',
    shape: { revoked: 'boolean' },
    handle: async call => {
      const id = pathText(call, 'key', KEY_ID)
      const why = 'revoked in the console'
      const { apiKeys } = identityOf(call)
      await call.parts.record(
        { action: 'keys.revoke', resource: { type: 'apiKey', id }, data: { why } },
        call.session.name,
      )
      if (await apiKeys.revoke(id, 'operator', why)) return { revoked: true }
      throw new ApiProblem(404, 'there is no such live key')
    },
  },
]

/** A key as JSON: what is undefined is left out there. */
function shown(key: ApiKey, now: number): unknown {
  const isLive = key.revokedAt === undefined && (key.expiresAt === undefined || key.expiresAt > now)
  return { ...key, isLive }
}

async function create(call: ApiCall): Promise<unknown> {
  const { accounts, apiKeys } = identityOf(call)
  const service = bodyText(call, 'service').trim()
  if (!/^[\x21-\x7e]{1,100}$/.test(service))
    throw new ApiProblem(400, 'service: must be 1 to 100 characters without spaces')
  const expires = bodyText(call, 'expires', '')
  const environment = bodyText(call, 'environment', '')
  const { name: operator } = call.session
  const wish: NewApiKey = {
    createdBy: `user:${(await accounts.named(operator))?.id ?? operator}`,
    name: bodyText(call, 'name', '') || service,
    scopes: bodyTexts(call, 'scopes'),
    networks: bodyTexts(call, 'networks'),
    ...(expires !== '' && { expiresIn: expires }),
    ...(environment !== '' && { environment }),
  }
  await call.parts.record(
    { action: 'keys.create', resource: { type: 'service', id: service } },
    call.session.name,
  )
  const { text, key } = await apiKeys.create({ kind: 'service', id: service }, wish)
  return { text, id: key.id }
}
