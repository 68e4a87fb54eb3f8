import type { CidrSet } from '@postern/core'
import {
  type AnswerTest,
  answerJson,
  answerText,
  type GraphqlLogin,
  type JsonRpcLogin,
  type LinkMail,
  type LoginSettings,
  redirect,
  setsCookie,
  status,
} from '@postern/identity/login'
import * as z from 'zod/mini'
import { inCode, key, orOff, parsed, required, section } from '../key/key.ts'
import { addressSet, bodyField, flag, listOf, text } from '../key/types.ts'

/** What an answer shows: any of these. */
export interface AnswerTestConfig {
  /** Status codes of the answer. */
  readonly status?: number | readonly number[] | undefined
  /** The answer redirects to a path that begins with this. */
  readonly redirect?: string | undefined
  /** The answer sets this cookie. */
  readonly cookie?: string | undefined
  /** The body contains this text. */
  readonly text?: string | undefined
  /** The JSON body has a value at this path. */
  readonly json?: string | undefined
}

/** A login by GraphQL. */
export interface GraphqlLoginConfig {
  /** Field of the mutation that signs in. */
  readonly field: string
  /** Argument, or field of an input object, with the account. */
  readonly account: string
  /** Names of stored operations that sign in. Default: none. */
  readonly operations?: readonly string[] | undefined
}

/** A login by JSON-RPC. */
export interface JsonRpcLoginConfig {
  /** Name of the JSON-RPC method that signs in. */
  readonly method: string
  /** Name or position of the account in the parameters. */
  readonly account: string
}

/** A login route. */
export interface RouteLoginConfig {
  /** Body field with the account; several in order of preference. Default: the usual names. */
  readonly account?: string | readonly string[] | undefined
  /** How to read a login that is a GraphQL mutation. */
  readonly graphql?: GraphqlLoginConfig | undefined
  /** How to read a login that is a JSON-RPC call. */
  readonly jsonRpc?: JsonRpcLoginConfig | undefined
  /** What a wrong password looks like. Default: told from status, redirect, cookies and JSON. */
  readonly failed?: AnswerTestConfig | undefined
  /** What a success looks like. Default: told from status, redirect, cookies and JSON. */
  readonly succeeded?: AnswerTestConfig | undefined
}

/** Login defence for all routes. */
export interface LoginConfig {
  /** Whether routes that look like a login are guarded too. Default: `true`. */
  readonly obvious?: boolean | undefined
  /** Asks unknown clients for proof of work while many sign-ins fail. Default: `true`. */
  readonly proofOfWork?: boolean | undefined
  /**
   * Mails a sign-in link to owners whose tries are used up: `{ origin, send }`. In code only. Default: none.
   */
  readonly link?: LinkMail | undefined
  /** Addresses and ranges whose wrong passwords are not counted. Default: none. */
  readonly exempt?: readonly string[] | undefined
}

/** Login defence with its defaults. */
export interface CompiledLoginConfig {
  readonly obvious: boolean
  readonly proofOfWork: boolean
  readonly exempt: CidrSet
  readonly link?: LinkMail
}

interface Seen {
  readonly status?: number | readonly number[]
  readonly redirect?: string
  readonly cookie?: string
  readonly text?: string
  readonly json?: string
}

const code = z.int().check(z.minimum(100), z.maximum(599))

const answerTest: z.ZodMiniType<readonly AnswerTest[], AnswerTestConfig> = parsed(
  section<Seen, AnswerTestConfig>('AnswerTestConfig', () => ({
    status: key(z.union([code, listOf(code)]), { description: 'Status codes of the answer.', example: 401 }),
    redirect: key(text, {
      description: 'The answer redirects to a path that begins with this.',
      example: '/login',
    }),
    cookie: key(text, { description: 'The answer sets this cookie.', example: 'sid' }),
    text: key(text, { description: 'The body contains this text.', example: 'Wrong password' }),
    json: key(text, { description: 'The JSON body has a value at this path.', example: 'errors' }),
  })),
  undefined,
  ({ status: codes, redirect: prefix, cookie, text: words, json }) => [
    ...(codes === undefined ? [] : [status(...(typeof codes === 'number' ? [codes] : codes))]),
    ...(prefix === undefined ? [] : [redirect(prefix)]),
    ...(cookie === undefined ? [] : [setsCookie(cookie)]),
    ...(words === undefined ? [] : [answerText(words)]),
    ...(json === undefined ? [] : [answerJson(json)]),
  ],
)

const graphql: z.ZodMiniType<GraphqlLogin, GraphqlLoginConfig> = section<GraphqlLogin, GraphqlLoginConfig>(
  'GraphqlLoginConfig',
  () => ({
    field: required(text, { description: 'Field of the mutation that signs in.', example: 'login' }),
    account: required(text, {
      description: 'Argument, or field of an input object, with the account.',
      example: 'email',
    }),
    operations: key(listOf(text), {
      description: 'Names of stored operations that sign in.',
      defaultText: 'none',
      example: ['SignIn'],
    }),
  }),
)

const jsonRpc: z.ZodMiniType<JsonRpcLogin, JsonRpcLoginConfig> = section<JsonRpcLogin, JsonRpcLoginConfig>(
  'JsonRpcLoginConfig',
  () => ({
    method: required(text, {
      description: 'Name of the JSON-RPC method that signs in.',
      example: 'auth.login',
    }),
    account: required(text, {
      description: 'Name or position of the account in the parameters.',
      example: 'email',
    }),
  }),
)

/** `login` of a route, compiled. */
export type CompiledRouteLogin = Omit<LoginSettings, 'lanes'>

/** `login` of a route. */
export const routeLogin: z.ZodMiniType<CompiledRouteLogin, RouteLoginConfig> = section<
  CompiledRouteLogin,
  RouteLoginConfig
>('RouteLoginConfig', () => ({
  account: key(z.union([bodyField, listOf(bodyField)]), {
    description: 'Body field with the account; several in order of preference.',
    defaultText: 'the usual names',
    example: 'email',
  }),
  graphql: key(graphql, {
    description: 'How to read a login that is a GraphQL mutation.',
    example: { field: 'login', account: 'email' },
  }),
  jsonRpc: key(jsonRpc, {
    description: 'How to read a login that is a JSON-RPC call.',
    example: { method: 'auth.login', account: 'email' },
  }),
  failed: key(answerTest, {
    description: 'What a wrong password looks like.',
    defaultText: 'told from status, redirect, cookies and JSON',
    example: { status: 401 },
  }),
  succeeded: key(answerTest, {
    description: 'What a success looks like.',
    defaultText: 'told from status, redirect, cookies and JSON',
    example: { redirect: '/home' },
  }),
}))

/** `login`. */
export const login: z.ZodMiniType<CompiledLoginConfig | false, LoginConfig | false | undefined> = key(
  orOff(
    section<CompiledLoginConfig, LoginConfig>('LoginConfig', () => ({
      obvious: key(flag, {
        description: 'Whether routes that look like a login are guarded too.',
        default: true,
        example: false,
      }),
      proofOfWork: key(flag, {
        description: 'Asks unknown clients for proof of work while many sign-ins fail.',
        default: true,
        example: false,
      }),
      link: key(inCode<LinkMail>('{ origin, send(account, url) }', isLinkMail), {
        description:
          'Mails a sign-in link to owners whose tries are used up: `{ origin, send }`. In code only.',
        defaultText: 'none',
      }),
      exempt: key(addressSet, {
        description: 'Addresses and ranges whose wrong passwords are not counted.',
        default: [],
        defaultText: 'none',
        example: ['192.0.2.7'],
      }),
    })),
  ),
  {
    description:
      'Holds down guessing at accounts, whatever the number of addresses it comes from; `routes` say where logins are. `false` switches it off.',
    default: {},
    defaultText: 'on',
    example: { obvious: false },
  },
)

function isLinkMail(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { origin, send } = value as Readonly<Record<string, unknown>>
  return typeof origin === 'string' && typeof send === 'function'
}
