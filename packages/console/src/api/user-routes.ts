import type { Account } from '@postern/identity/built-in'
import { type ApiCall, ApiProblem, type ApiRoute } from './api-route.ts'
import { bodyText, bodyTexts, MOST_OF_ID, pathText, queryText } from './call-values.ts'
import { identityOf } from './identity-of.ts'

const USER_ID = /^[\w-]{1,64}$/
const USER = {
  id: 'string',
  email: 'string',
  name: 'string',
  locale: 'string',
  roles: ['string'],
  hasPassword: 'boolean',
  createdAt: 'time',
  emailVerifiedAt: 'time?',
  passwordChangedAt: 'time?',
  disabledAt: 'time?',
} as const
const SESSION = {
  id: 'string',
  accountId: 'string',
  createdAt: 'time',
  seenAt: 'time',
  expiresAt: 'time',
  idleUntil: 'time',
  authenticatedAt: 'time',
  amr: ['string'],
  address: 'string',
  agent: 'string',
  impersonator: 'string?',
  organisationId: 'string?',
  roles: ['string'],
  siteRoles: ['string'],
} as const
const FACTORS = {
  password: 'boolean',
  passkeys: [{ id: 'string', name: 'string', createdAt: 'time', usedAt: 'time?' }],
  authenticator: 'boolean',
  recoveryCodes: 'integer',
  providers: ['string'],
} as const
const CHANGED = { changed: 'boolean' } as const

/** Accounts and sessions of built-in identity: what `postern users` and `postern sessions` do. */
export const userRoutes: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/users',
    role: 'viewer',
    summary: 'Accounts, newest first, 1,000 at most.',
    query: { search: { type: 'string', description: 'Part of an address, a name or an id. Default: all.' } },
    answer: '`users`; `kept` is false where the configuration has no `identity`.',
    shape: { kept: 'boolean', users: [USER] },
    handle: async call => {
      const text = (queryText(call, 'search') ?? '').trim()
      const { identity } = call.parts
      if (identity === undefined) return { kept: false, users: [] }
      const { accounts } = identity
      return { kept: true, users: await (text === '' ? accounts.list() : accounts.search(text)) }
    },
  },
  {
    method: 'GET',
    path: '/users/{user}',
    role: 'viewer',
    summary: 'One account: what it can prove itself by, where it is signed in, and its keys.',
    answer: '`user`, `factors`, `sessions` last used first, `keys`.',
    shape: { user: USER, factors: FACTORS, sessions: [SESSION], keys: ['map'] },
    handle: async call => {
      const { sessions, apiKeys, factorsOf } = identityOf(call)
      const user = await userOf(call)
      return {
        user,
        factors: await factorsOf(user.id),
        sessions: await sessions.list(user.id),
        keys: await apiKeys.list({ kind: 'user', id: user.id }),
      }
    },
  },
  {
    method: 'GET',
    path: '/sessions',
    role: 'viewer',
    summary: 'Who is signed in, last used first, 1,000 at most.',
    answer: '`sessions`; `kept` is false where the configuration has no `identity`.',
    shape: { kept: 'boolean', sessions: [SESSION] },
    handle: async ({ parts }) =>
      parts.identity === undefined
        ? { kept: false, sessions: [] }
        : { kept: true, sessions: await parts.identity.sessions.listAll() },
  },
  {
    method: 'POST',
    path: '/users/{user}/sessions/end',
    role: 'operator',
    summary: 'Ends the sessions of an account, all or one, from the next request on.',
    body: { session: { type: 'string', description: 'Id of the one. Default: all.' } },
    answer: '`ended`: how many.',
    shape: { ended: 'integer' },
    handle: async call => {
      const { id } = await userOf(call)
      const session = bodyText(call, 'session', '')
      await note(call, 'sessions.revoke', id, { session: session === '' ? 'all' : session })
      return { ended: await identityOf(call).endSessions(id, session === '' ? undefined : session) }
    },
  },
  {
    method: 'POST',
    path: '/users/{user}/disable',
    role: 'operator',
    summary: 'Disables an account and ends its sessions.',
    body: { reason: { type: 'string', description: 'Why, for other operators.' } },
    answer: '`changed`: false when it was disabled already.',
    shape: CHANGED,
    handle: async call => {
      const { id } = await userOf(call)
      await note(call, 'users.disable', id, { reason: bodyText(call, 'reason', '') })
      return { changed: await identityOf(call).disableAccount(id) }
    },
  },
  {
    method: 'POST',
    path: '/users/{user}/enable',
    role: 'operator',
    summary: 'Lets a disabled account sign in again.',
    answer: '`changed`: false when it was not disabled.',
    shape: CHANGED,
    handle: async call => {
      const { id } = await userOf(call)
      await note(call, 'users.enable', id, {})
      return { changed: await identityOf(call).enableAccount(id) }
    },
  },
  {
    method: 'POST',
    path: '/users/{user}/roles',
    role: 'administrator',
    summary: 'Says which roles an account has on the whole site, in place of those it had.',
    body: { roles: { type: 'strings', required: true, description: 'Empty for none.' } },
    answer:
      '`changed`. Refused: the account of the caller, and a new role that consents to acts (`approve: { by }`); those are given by `postern users roles`.',
    shape: CHANGED,
    handle: async call => {
      const { id, email, roles: held } = await userOf(call)
      const roles = bodyTexts(call, 'roles')
      checkGranted(call, email, roles, held)
      await note(call, 'users.roles', id, { roles: [...roles] })
      return { changed: await identityOf(call).accounts.setRoles(id, roles) }
    },
  },
  {
    method: 'POST',
    path: '/principals/end',
    role: 'operator',
    summary:
      'What a principal was given until now (tokens, sessions of the application) no longer holds, on every instance.',
    body: { principal: { type: 'string', required: true, description: 'Its id.' } },
    answer: '`ended`.',
    shape: { ended: 'boolean' },
    handle: async call => {
      const { revocations, record } = call.parts
      const id = bodyText(call, 'principal', undefined, MOST_OF_ID)
      if (id === '') throw new ApiProblem(400, 'principal: must not be empty')
      if (revocations === undefined)
        throw new ApiProblem(404, 'the configuration does not say who identifies, so nothing can be revoked')
      // Sealed, unlike the id of a resource: it may be an address.
      const data = { principal: id, session: 'all' }
      await record({ action: 'sessions.revoke', resource: { type: 'principal' }, data }, call.session.name)
      await revocations.revokePrincipal(id)
      return { ended: true }
    },
  },
]

/** Nobody widens what they may themselves, or makes the second person who consents to what they ask for. */
function checkGranted(
  { parts, session }: ApiCall,
  email: string,
  roles: readonly string[],
  held: readonly string[],
): void {
  if (email === session.name.toLowerCase())
    throw new ApiProblem(403, 'nobody changes the roles of their own account; ask another administrator')
  const approving = parts.approvingRoles()
  const refused = roles.find(role => approving.has(role) && !held.includes(role))
  if (refused !== undefined)
    throw new ApiProblem(
      403,
      `the role ${refused} consents to acts, and is given on the machine of the gateway: postern users roles`,
    )
}

async function userOf(call: ApiCall): Promise<Account> {
  const account = await identityOf(call).accounts.byId(pathText(call, 'user', USER_ID))
  if (account === undefined) throw new ApiProblem(404, 'there is no such account')
  return account
}

/** Ids of accounts are readable in the log forever; addresses of people are not written there. */
function note(
  { parts, session }: ApiCall,
  action: string,
  id: string,
  data: Readonly<Record<string, string | string[]>>,
): Promise<void> {
  return parts.record({ action, resource: { type: 'account', id }, data }, session.name)
}
