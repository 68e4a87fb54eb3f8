import {
  type Clock,
  ConfigError,
  CredentialError,
  type Duration,
  type Event,
  type Exchange,
  type Guard,
  isLoopback,
  type Principal,
  parseAddress,
  type RandomSource,
  type StepUp,
  systemClock,
  systemRandom,
} from '@postern/core'
import type { PostgresDatabase, RedisConnection, SqliteDatabase } from '@postern/store'
import { Accounts } from '../account/accounts.ts'
import { disableAccount, enableAccount, endSessions } from '../account/disable-account.ts'
import { type ImportOptions, type ImportReport, importAccounts } from '../account/import-accounts.ts'
import { OneTimeTokens } from '../account/one-time-tokens.ts'
import { Organisations } from '../account/organisations.ts'
import { ApiKeys } from '../api-key/api-keys.ts'
import { KEY_USES } from '../api-key/key-limits.ts'
import { identityDatabase } from '../database/identity-database.ts'
import { migrateIdentity } from '../database/identity-migrations.sql.ts'
import { IdentitySecret } from '../database/identity-secret.ts'
import { MAIL_COUNTS, type MailCount } from '../mail/mail-counts.ts'
import type { Mailer } from '../mail/mailer.ts'
import { Postman } from '../mail/postman.ts'
import { checkedProviders, externalLogin } from '../oauth/external-login.ts'
import type { OauthServerOptions } from '../oauth/oauth-options.ts'
import { oauthServer } from '../oauth/oauth-server.ts'
import { accountPages } from '../pages/account-pages.ts'
import { json } from '../pages/answers.ts'
import { loadAssets } from '../pages/assets.ts'
import { factorPages } from '../pages/factor-pages.ts'
import { keyPages } from '../pages/key-pages.ts'
import { organisationPages } from '../pages/organisation-pages.ts'
import type { Routes } from '../pages/page-request.ts'
import { recoveryPages } from '../pages/recovery-pages.ts'
import { sessionPages } from '../pages/session-pages.ts'
import { signInPages } from '../pages/sign-in-pages.ts'
import { signUpPages } from '../pages/sign-up-pages.ts'
import { stepUpPages } from '../pages/step-up-pages.ts'
import type { Theme } from '../pages/stylesheet.ts'
import { type AccountFactors, accountFactors } from '../parts/account-factors.ts'
import { deleteAccount } from '../parts/delete-account.ts'
import type { ExternalProvider } from '../parts/external-provider.ts'
import type { IdentityParts } from '../parts/identity-parts.ts'
import { PasskeyChallenges } from '../passkey/passkey-challenges.ts'
import { Passkeys } from '../passkey/passkeys.ts'
import { type PasswordOptions, Passwords } from '../password/passwords.ts'
import type { RecordStore } from '../records/record-store.ts'
import { inTurns } from '../records/records-in.ts'
import { redisRecords } from '../records/redis-records.ts'
import { sharedRecords } from '../records/shared-records.ts'
import { cookieJar } from '../session/cookies.ts'
import { RedisSessions } from '../session/redis-sessions.ts'
import { SessionPrincipal } from '../session/session-principal.ts'
import { type IssuedSession, Sessions } from '../session/sessions.ts'
import { Standings } from '../session/standings.ts'
import { Confirmations } from '../step-up/confirmations.ts'
import { SessionStepUp } from '../step-up/session-step-up.ts'
import { WRONG_PROOFS, WrongProofs } from '../step-up/wrong-proofs.ts'
import { Authenticators } from '../totp/authenticators.ts'
import { RecoveryCodes } from '../totp/recovery-codes.ts'
import { WRONG_CODES } from '../totp/wrong-codes.ts'
import { type BackendTokenOptions, BackendTokens } from './backend-token.ts'
import { RequestIdentity } from './identify-request.ts'
import { PagesGuard } from './pages-guard.ts'

/** Origin, stores, secret and mailer of built-in identity, and what it offers. */
export interface BuiltInIdentityOptions {
  /**
   * The one origin people use: `https://shop.example`. Links, passkeys and checks are bound to it; the Host
   * header of a request is never used. Plain HTTP on loopback only.
   */
  readonly origin: string
  /** Opened by the caller, who closes it. */
  readonly database: SqliteDatabase | PostgresDatabase
  /**
   * At least 32 random bytes, the same on every node: pepper of API keys and codes, seal of stored secrets.
   */
  readonly secret: string | Uint8Array
  readonly mailer: Mailer
  /** Name of the site, on pages and in mails. Default: the host. */
  readonly siteName?: string
  /** Where the pages are. Default `/.postern`. */
  readonly base?: string
  /** Where to go after signing in. Default `/`. */
  readonly home?: string
  /** Whether anybody may make an account. Default `open`. */
  readonly signUp?: 'open' | 'closed'
  /**
   * Whether a mailed link signs in. `never` for sites where e-mail must be no factor (ASVS 5.0 6.3.6); a
   * password is still reset by mail, which signs nobody in. Default `sign-in`.
   */
  readonly mailedLinks?: 'sign-in' | 'never'
  readonly passwords?: PasswordOptions
  /** `redis`: where sessions are kept, opened and closed by the caller; in the database unless given. */
  readonly sessions?: {
    /** Time without a request after which a session ends. Default `3d`. */
    readonly idle?: Duration
    /** Time after which a session ends in any case. Default `30d`. */
    readonly lifetime?: Duration
    readonly redis?: RedisConnection | undefined
  }
  readonly keys?: {
    /** First part of each API key, by which secret scanners find it. Default `postern`. */
    readonly prefix?: string
    /** API keys that one owner may have. Default 100. */
    readonly perOwner?: number
  }
  readonly theme?: Theme
  /** Sends a signed token of the principal to the backend. Default: none. */
  readonly backend?: BackendTokenOptions
  /** Other OpenID Connect providers that people can sign in with. */
  readonly providers?: readonly ExternalProvider[]
  /** An OAuth 2.1 and OpenID Connect server below `/oauth`. Default: none. */
  readonly oauth?: OauthServerOptions
  /** Who may act in another's name. Default: nobody. */
  readonly mayImpersonate?: (staff: Principal, accountId: string) => boolean | Promise<boolean>
  /** Receives every event: pass the engine's `emit`. */
  readonly emit?: (event: Event) => void
  /** Receives what failed in the background: a mail that was not sent. */
  readonly onError?: (error: unknown) => void
  readonly clock?: Clock
  readonly random?: RandomSource
}

/** A complete identity for an application that has none. */
export interface BuiltInIdentity {
  /**
   * Says who sends a request: pass it as `identify`. A route may accept some of its methods only (`session`,
   * `apiKey`, `oauth`).
   * @param accepted what holds where the route says nothing. Default: all
   */
  readonly identify: (
    exchange: Exchange,
    accepted?: readonly string[],
  ) => Principal | undefined | Promise<Principal | undefined>
  /** Serves the pages and refuses bad keys: pass it in `guards`, after login defence. */
  readonly guard: Guard
  /** For who demands a fresh proof. */
  readonly stepUp: Required<StepUp>
  readonly accounts: Accounts
  readonly sessions: Sessions
  readonly apiKeys: ApiKeys
  readonly organisations: Organisations
  readonly passkeys: Passkeys
  readonly passwords: Passwords
  /** Absent unless `backend` was given. */
  readonly backendTokens: BackendTokens | undefined
  /**
   * Who sent a request, for the application in this process: give it the framework's own
   * request (node's, Express's, Fastify's).
   */
  principalOf(request: object): Principal
  /** Whether a principal was found by a built-in session: not by an API key, nor by anything else. */
  knows(principal: Principal): boolean
  /** What an account can prove itself by. */
  factorsOf(accountId: string): Promise<AccountFactors>
  /**
   * Disables an account and ends its sessions, from the next request on. For operators.
   * @returns false when there is no such account, or it is disabled already
   */
  disableAccount(accountId: string): Promise<boolean>
  /** Lets a disabled account sign in again. @returns false when there is no such disabled account */
  enableAccount(accountId: string): Promise<boolean>
  /**
   * Ends sessions of an account, all or one by its id. For operators.
   * @returns how many were ended
   */
  endSessions(accountId: string, sessionId?: string): Promise<number>
  /** Deletes an account with its sessions, factors, API keys and grants. @returns whether there was one */
  deleteAccount(accountId: string): Promise<boolean>
  /** Imports accounts from CSV. */
  importAccounts(csv: string, options?: ImportOptions): Promise<ImportReport>
  /**
   * A session in another's name, for an hour: its principal names who really acts, in every event.
   * @throws CredentialError when `mayImpersonate` does not allow it
   */
  impersonate(
    staff: Principal,
    accountId: string,
    context: { readonly address: string; readonly agent: string; readonly reason: string },
  ): Promise<IssuedSession>
  /** Waits for mails that are being sent. */
  close(): Promise<void>
}

/**
 * Puts built-in identity together: migrates its tables, loads its keys.
 * @throws ConfigError for a bad option; StoreError when the database cannot be reached
 * @example
 * const identity = await builtInIdentity({ origin: 'https://shop.example', database, secret, mailer })
 * const layer = await postern({ config: { identify: identity.identify, guards: [identity.guard] } })
 */
export async function builtInIdentity(options: BuiltInIdentityOptions): Promise<BuiltInIdentity> {
  const origin = checkedOrigin(options.origin)
  const base = checkedBase(options.base ?? '/.postern')
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const secret = new IdentitySecret(options.secret, random)
  await migrateIdentity(options.database)
  const database = identityDatabase(options.database)
  const siteName = (options.siteName ?? origin.hostname).slice(0, 60)
  const standings = new Standings(database, clock)
  const emit = (event: Event): void => {
    if (/^(?:account|organisation)\./.test(event.type)) standings.forget()
    options.emit?.(event)
  }
  const shared = { database, secret, emit, clock, random }
  const tokens = new OneTimeTokens(shared)
  const accounts = new Accounts(shared)
  const { redis, ...lifetimes } = options.sessions ?? {}
  const store = redis === undefined ? undefined : new RedisSessions({ redis, standings })
  const sessions = new Sessions({ ...shared, ...lifetimes, store })
  const uses =
    redis === undefined
      ? await sharedRecords(options.database, 'key-uses', KEY_USES, clock)
      : redisRecords(redis, 'postern:key-uses:', KEY_USES, clock)
  const apiKeys = new ApiKeys({ ...shared, ...options.keys, uses })
  const challenges = await PasskeyChallenges.open(options.database, { tokens, clock, random })
  const passkeys = new Passkeys({ ...shared, challenges, origin: origin.origin, rpName: siteName })
  const confirmations = new Confirmations({ ...shared, passkeys })
  const organisations = new Organisations({ ...shared, tokens })
  const passwords = new Passwords(options.passwords)
  const cookies = cookieJar(origin.protocol === 'https:' ? 'https' : 'http')
  const postman = new Postman({
    mailer: options.mailer,
    clock,
    onError: options.onError ?? reportError,
    counts: await mailCounts(options.database, secret, clock),
  })
  const parts: IdentityParts = {
    ...shared,
    accounts,
    tokens,
    organisations,
    passwords,
    sessions,
    passkeys,
    confirmations,
    apiKeys,
    postman,
    cookies,
    authenticators: new Authenticators({
      ...shared,
      issuer: siteName,
      wrongCodes: await sharedRecords(options.database, 'codes', WRONG_CODES, clock),
    }),
    wrongProofs: new WrongProofs(
      sessions,
      await sharedRecords(options.database, 'proofs', WRONG_PROOFS, clock),
      clock,
    ),
    recoveryCodes: new RecoveryCodes(shared),
    origin: origin.origin,
    base,
    siteName,
    signUp: options.signUp ?? 'open',
    mailedLinks: options.mailedLinks ?? 'sign-in',
    home: options.home ?? '/',
    providers: checkedProviders(options.providers ?? []),
  }
  const backendTokens =
    options.backend === undefined
      ? undefined
      : await BackendTokens.open({ ...shared, accounts, origin: origin.origin }, options.backend)
  const oauth =
    options.oauth === undefined ? undefined : await oauthServer({ ...parts, random }, options.oauth)
  const request = new RequestIdentity({
    ...parts,
    ...(oauth !== undefined && { accessToken: oauth.identify }),
  })
  const guard = new PagesGuard({
    parts,
    routes: { ...pageRoutes(parts, backendTokens), ...oauth?.routes },
    assets: loadAssets(options.theme),
    random,
    backendTokens,
    keyFault: exchange => request.keyFault(exchange),
    oauth: oauth?.answer,
  })
  return {
    identify: (exchange, accepted) =>
      request.identify(exchange, exchange.route?.settings.identify ?? accepted),
    guard,
    stepUp: new SessionStepUp(confirmations, origin.origin, base),
    accounts,
    sessions,
    apiKeys,
    organisations,
    passkeys,
    passwords,
    backendTokens,
    principalOf: request => guard.principalOf(request),
    knows: principal => SessionPrincipal.sessionOf(principal) !== undefined,
    factorsOf: accountId => accountFactors(accountId, parts),
    disableAccount: accountId => disableAccount(accountId, parts),
    enableAccount: accountId => enableAccount(accountId, parts),
    endSessions: (accountId, sessionId) => endSessions(accountId, parts, sessionId),
    deleteAccount: accountId => deleteAccount(accountId, parts),
    importAccounts: (csv, importing) => importAccounts(csv, accounts, importing),
    impersonate: async (staff, accountId, { address, agent, reason }) => {
      const isAllowed =
        staff.id !== '' && staff.actor === undefined && (await options.mayImpersonate?.(staff, accountId))
      const account = await accounts.byId(accountId)
      if (
        isAllowed !== true ||
        account === undefined ||
        account.disabledAt !== undefined ||
        reason.trim() === ''
      )
        throw new CredentialError('this principal may not act in the name of that account')
      const impersonator = `${staff.kind}:${staff.id}`
      emit({
        type: 'impersonation.started',
        time: clock.now(),
        actor: { principal: staff.id, address },
        resource: { type: 'account', id: accountId },
        data: { reason: reason.slice(0, 500) },
      })
      return sessions.begin({ accountId, amr: ['imp'], address, agent, impersonator, lifetime: '1h' })
    },
    close: () => postman.drain(),
  }
}

function pageRoutes(parts: IdentityParts, backendTokens: BackendTokens | undefined): Routes {
  return {
    ...signInPages(parts),
    ...signUpPages(parts),
    ...recoveryPages(parts),
    ...accountPages(parts),
    ...factorPages(parts),
    ...sessionPages(parts),
    ...keyPages(parts),
    ...stepUpPages(parts),
    ...organisationPages(parts),
    ...externalLogin(parts),
    ...(backendTokens !== undefined && { 'GET /jwks': async () => json(await backendTokens.jwks()) }),
  }
}

/** Counts of mails in the database; whose they are is kept as a MAC. */
async function mailCounts(
  database: SqliteDatabase | PostgresDatabase,
  secret: IdentitySecret,
  clock: Clock,
): Promise<RecordStore<MailCount>> {
  const records = inTurns(await sharedRecords(database, 'mails', MAIL_COUNTS, clock))
  return { name: records.name, update: (key, step) => records.update(secret.mac('mails', key), step) }
}

function checkedOrigin(text: string): URL {
  const place = 'identity.origin'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.origin === 'null' || url.href !== `${url.origin}/`)
    throw new ConfigError({ place, problem: 'is not an origin', hint: 'for example https://shop.example' })
  const address = parseAddress(url.hostname.replace(/^\[|\]$/g, ''))
  const isLocal = url.hostname === 'localhost' || (address !== undefined && isLoopback(address))
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal))
    throw new ConfigError({ place, problem: 'must be https, except on loopback' })
  return url
}

function checkedBase(base: string): string {
  if (/^(?:\/[\w.-]+)+$/.test(base) && !/\/\.\.?(?:\/|$)/.test(base)) return base
  throw new ConfigError({ place: 'identity.base', problem: 'is not a path such as /.postern' })
}

function reportError(error: unknown): void {
  process.stderr.write(`postern: identity: ${error instanceof Error ? error.name : 'a mail was not sent'}\n`)
}
