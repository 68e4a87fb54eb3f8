import {
  batchedRequests,
  ConfigError,
  type Exchange,
  isPlaceOfBatches,
  parseRequestPath,
} from '@postern/core'
import { type AccountReader, accountField, readingOf } from './account-field.ts'
import type { AnswerTest } from './answer-test.ts'
import { batchedNames } from './batched-names.ts'
import { type GraphqlLogin, graphqlAccount } from './graphql-login.ts'
import { type JsonRpcLogin, jsonRpcAccount } from './json-rpc-login.ts'
import { DEFAULT_LANES, type LaneRules } from './lane-rules.ts'
import type { OutcomeTests } from './login-outcome.ts'

/** A login route: where the account is, and how the answer shows what became of it. */
export interface LoginSettings {
  /**
   * Body field of the account (`email`, `user.email`), several in order of preference, or a function of the
   * exchange. Default: the first of the usual names that is there.
   */
  readonly account?:
    | string
    | readonly string[]
    | ((exchange: Exchange) => string | undefined | Promise<string | undefined>)
  readonly graphql?: GraphqlLogin
  readonly jsonRpc?: JsonRpcLogin
  /** Answers that mean a wrong password. Default: told from status, redirect target, cookies and JSON. */
  readonly failed?: AnswerTest | readonly AnswerTest[]
  /** Answers that mean success. */
  readonly succeeded?: AnswerTest | readonly AnswerTest[]
  readonly lanes?: Partial<LaneRules>
}

declare module '@postern/core' {
  interface RouteSettings {
    /** Guards this route as a login; false: not even if it looks like one. */
    readonly login?: LoginSettings | false
  }
}

/** Settings ready to be asked. */
export interface CompiledLogin {
  readonly read: AccountReader
  /** Body fields that the configuration names for the account, if it does. */
  readonly sought?: readonly string[]
  readonly tests: OutcomeTests
  readonly lanes: LaneRules
}

const ACCOUNT_NAMES: readonly string[] = [
  'email',
  'username',
  'user',
  'login',
  'account',
  'identifier',
  'user_name',
  'userid',
  'user_id',
  'emailaddress',
  'email_address',
  'mail',
  'phone',
  'user.email',
  'user.username',
  'user.login',
  'session.email',
  'log',
]

/** @throws ConfigError for lanes that cannot be used */
export function compileLogin(settings: LoginSettings, place: string): CompiledLogin {
  const { account } = settings
  return {
    read: readerOf(settings),
    ...(typeof account !== 'function' && {
      sought: account === undefined ? ['email, username or another usual name'] : listOf(account),
    }),
    tests: {
      ...(settings.failed !== undefined && { failed: listOf(settings.failed) }),
      ...(settings.succeeded !== undefined && { succeeded: listOf(settings.succeeded) }),
    },
    lanes: checkedLanes({ ...DEFAULT_LANES, ...settings.lanes }, place),
  }
}

/**
 * On a route that nobody named a login there is rarely a link, so who mistypes is given more tries,
 * sooner. The account's own lane is the same.
 */
const OBVIOUS_LANES: LaneRules = { ...DEFAULT_LANES, pair: { capacity: 5, every: 15 * 60_000 } }

/**
 * What guards a route that nobody named as a login, but that looks like one: bodies
 * without an account are let through.
 */
export const OBVIOUS_LOGIN: CompiledLogin = {
  read: accountField(ACCOUNT_NAMES, 'none'),
  tests: {},
  lanes: OBVIOUS_LANES,
}

/**
 * A program with an extension answers what stands behind it too (PATH_INFO: `/wp-login.php/x`), and Windows
 * ignores dots and spaces at the end of its name.
 */
const OBVIOUS =
  /^(?:\/[^/]{1,60}){0,8}\/(?:wp-login|login|login_check|log-in|log_in|signin|sign-in|sign_in|logon|sessions?|authenticate|token)(?:\.[a-z0-9]{1,10}[. ]{0,8}(?:\/.*)?)?$/is

/**
 * Whether a request is a POST to where logins usually are, also with a format (`/users/sign_in.json`), or
 * asks to be treated as one: WordPress obeys `_method=POST` in a GET.
 */
export function isObviousLogin({ method, methodOverrides, path }: Exchange): boolean {
  const isPost = method === 'POST' || methodOverrides.some(wish => wish.method === 'POST')
  return isPost && (OBVIOUS.test(path.canonical) || batchedNames(path).some(name => OBVIOUS.test(name)))
}

/**
 * What guards a batch of whole requests: one that signs in is refused, for it could do so many times, and so
 * is one that cannot be read.
 */
export const BATCHED_LOGIN: CompiledLogin = {
  read: async exchange => {
    const requests = await batchedRequests(exchange)
    if (requests === undefined) return { kind: isPlaceOfBatches(exchange) ? 'unreadable' : 'none' }
    const signsIn = requests.some(({ method, target }) => method === 'POST' && OBVIOUS.test(pathOf(target)))
    return { kind: signsIn ? 'several' : 'none' }
  },
  tests: {},
  lanes: OBVIOUS_LANES,
}

function pathOf(target: string): string {
  return parseRequestPath(target.startsWith('/') ? target : `/${target}`).canonical
}

function readerOf(settings: LoginSettings): AccountReader {
  const { account, graphql, jsonRpc } = settings
  const protocols = [
    ...(graphql === undefined ? [] : [graphqlAccount(graphql)]),
    ...(jsonRpc === undefined ? [] : [jsonRpcAccount(jsonRpc)]),
  ]
  if (protocols.length === 0) return fieldReader(account)
  const all = account === undefined ? protocols : [...protocols, fieldReader(account)]
  return async (exchange, documents) => {
    let said = await (all[0] as AccountReader)(exchange, documents)
    for (let i = 1; said.kind === 'none' && i < all.length; i++)
      said = await (all[i] as AccountReader)(exchange, documents)
    return said
  }
}

function fieldReader(account: LoginSettings['account']): AccountReader {
  if (typeof account === 'function') {
    return async exchange => {
      const name = await account(exchange)
      return name === undefined || name === '' ? { kind: 'unreadable' } : readingOf(name)
    }
  }
  return accountField(account === undefined ? ACCOUNT_NAMES : listOf(account))
}

function listOf<Item>(value: Item | readonly Item[]): readonly Item[] {
  return Array.isArray(value) ? (value as readonly Item[]) : [value as Item]
}

function checkedLanes(lanes: LaneRules, place: string): LaneRules {
  for (const name of ['device', 'network', 'unknown', 'pair'] as const) {
    const { capacity, every } = lanes[name]
    if (!(capacity >= 1 && every >= 1_000))
      throw new ConfigError({
        place: `${place}.login.lanes.${name}`,
        problem: 'a lane needs a capacity of at least 1 and at least one second per try',
        hint: 'leave it out for the default',
      })
  }
  return lanes
}
