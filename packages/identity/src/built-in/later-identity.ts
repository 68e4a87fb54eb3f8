import {
  ALLOW,
  ANONYMOUS,
  claimedCredential,
  type Decision,
  type Exchange,
  type Health,
  type HealthProbe,
  OpenedLater,
  type Refusal,
  type StoreError,
  systemTimers,
  type Timers,
} from '@postern/core'
import { isMetadataPath } from '../oauth/metadata-path.ts'
import { type BuiltInIdentity, type BuiltInIdentityOptions, builtInIdentity } from './built-in-identity.ts'

const AWAY: Refusal = {
  effect: 'deny',
  guard: 'identity',
  status: 503,
  retryAfter: 1,
  reasons: [{ rule: 'identity/away', message: 'Signing in is not possible right now. Please try again.' }],
}

/** Who is notified while the database of built-in identity is away. */
export interface LaterIdentityOptions {
  /** The database is away at the start: called once. */
  readonly onAway?: (error: StoreError) => void
  /** It is there after all. */
  readonly onBack?: () => void
  readonly timers?: Timers
}

/**
 * Built-in identity whose database may be away when the process starts. Until it is there, requests without a
 * credential pass as anonymous, one with a credential is not known (`identify` throws, which is answered as
 * the failure policy says), and the pages answer 503; nothing of what a client claims reaches the backend.
 * @throws as `builtInIdentity`, but for a database that does not answer and may come back
 */
export async function laterIdentity(
  options: BuiltInIdentityOptions,
  { onAway, onBack, timers = systemTimers }: LaterIdentityOptions = {},
): Promise<BuiltInIdentity & HealthProbe> {
  const later = await OpenedLater.start<BuiltInIdentity>(
    () => builtInIdentity(options),
    { away: error => onAway?.(error), back: () => onBack?.(), failed: () => undefined },
    timers,
  )
  const base = options.base ?? '/.postern'
  const isOurs = ({ path }: Exchange): boolean =>
    path.canonical.startsWith(`${base}/`) ||
    (options.oauth !== undefined && isMetadataPath(path.raw, `${base}/oauth`))
  const header =
    options.backend === undefined ? undefined : (options.backend.header ?? 'x-identity-jwt').toLowerCase()

  function whileAway(exchange: Exchange): Decision {
    if (header !== undefined && exchange.header(header) !== undefined)
      exchange.setRequestHeader(header, undefined)
    return isOurs(exchange) ? AWAY : ALLOW
  }

  return {
    identify: (exchange, accepted) => {
      const { current } = later
      if (current !== undefined) return current.identify(exchange, accepted)
      if (claimedCredential(exchange) !== undefined) later.get()
      return undefined
    },
    guard: {
      name: 'identity',
      failure: 'closed',
      decide: exchange => later.current?.guard.decide(exchange) ?? whileAway(exchange),
    },
    stepUp: {
      check: (exchange, demand) => later.get().stepUp.check(exchange, demand),
      signIn: exchange => later.get().stepUp.signIn(exchange),
    },
    get accounts() {
      return later.get().accounts
    },
    get sessions() {
      return later.get().sessions
    },
    get apiKeys() {
      return later.get().apiKeys
    },
    get organisations() {
      return later.get().organisations
    },
    get passkeys() {
      return later.get().passkeys
    },
    get passwords() {
      return later.get().passwords
    },
    get backendTokens() {
      return later.get().backendTokens
    },
    principalOf: request => later.current?.principalOf(request) ?? ANONYMOUS,
    knows: principal => later.current?.knows(principal) ?? false,
    factorsOf: async accountId => later.get().factorsOf(accountId),
    disableAccount: async accountId => later.get().disableAccount(accountId),
    enableAccount: async accountId => later.get().enableAccount(accountId),
    endSessions: async (accountId, sessionId) => later.get().endSessions(accountId, sessionId),
    deleteAccount: async accountId => later.get().deleteAccount(accountId),
    importAccounts: async (csv, importing) => later.get().importAccounts(csv, importing),
    impersonate: async (staff, accountId, context) => later.get().impersonate(staff, accountId, context),
    health: (): Health => {
      const detail = troubleOf(later, options)
      return {
        name: 'built-in identity',
        ok: detail === undefined,
        required: true,
        ...(detail !== undefined && { detail }),
      }
    },
    close: async () => (await later.stop())?.close(),
  }
}

/** Why people cannot sign in, or are not known, in words for an operator. */
function troubleOf(
  { current, problem }: OpenedLater<BuiltInIdentity>,
  { sessions }: BuiltInIdentityOptions,
): string | undefined {
  if (current === undefined) return `not open yet (${problem}); nobody can sign in until it is`
  if (sessions?.redis === undefined || sessions.redis.status === 'ready') return undefined
  return 'redis, which has the sessions, is not connected; who is signed in gets 503 until it is'
}
