import type { CidrSet, Duration } from '@postern/core'
import type { HeadersSetting } from '@postern/identity/headers'
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
import * as z from 'zod'
import { inCode, key, orOff, parsed, required, section } from '../key.ts'
import { addressSet, duration, flag, listOf, oneOf, text } from '../types.ts'

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
  /** The JSON body has something at this path. */
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
  /** Method that signs in. */
  readonly method: string
  /** Name or position of the account in the parameters. */
  readonly account: string
}

/** A login route. */
export interface RouteLoginConfig {
  /** Body field with the account; several in order of preference. Default: the usual names. */
  readonly account?: string | readonly string[] | undefined
  /** The login is a GraphQL mutation. */
  readonly graphql?: GraphqlLoginConfig | undefined
  /** The login is a JSON-RPC call. */
  readonly jsonRpc?: JsonRpcLoginConfig | undefined
  /** What a wrong password looks like. Default: told from status, redirect, cookies and JSON. */
  readonly failed?: AnswerTestConfig | undefined
  /** What a success looks like. Default: told from status, redirect, cookies and JSON. */
  readonly succeeded?: AnswerTestConfig | undefined
}

/** Login defence for all routes. */
export interface LoginConfig {
  /** Guards routes that look like a login, too. Default: `true`. */
  readonly obvious?: boolean | undefined
  /** Asks unknown clients for proof of work while many sign-ins fail. Default: `true`. */
  readonly proofOfWork?: boolean | undefined
  /** Mails a link to whom no other way in is left: `{ origin, send }`. In code only. Default: none. */
  readonly link?: LinkMail | undefined
  /** Addresses whose wrong passwords hold nothing up, ranges included. Default: none. */
  readonly exempt?: readonly string[] | undefined
}

/** Login defence with its defaults. */
export interface CompiledLoginConfig {
  readonly obvious: boolean
  readonly proofOfWork: boolean
  readonly exempt: CidrSet
  readonly link?: LinkMail
}

/** Refuses requests that other sites send. */
export interface CsrfConfig {
  /** Other origins whose pages may send requests. Default: none. */
  readonly origins?: readonly string[] | undefined
  /** Cookies that sign somebody in. Default: any cookie. */
  readonly cookies?: readonly string[] | undefined
}

/** Requests of other sites, with defaults. */
export interface CompiledCsrf {
  readonly origins: readonly string[]
  readonly cookies?: readonly string[]
}

/** Binds the backend's sessions to the device. */
export interface BindConfig {
  /** The backend's session cookie. */
  readonly cookie: string
  /** How long a stolen cookie works at most. Default: `5m`. */
  readonly interval?: Duration | undefined
  /** Cookies from before: `adopt` or `refuse`. Default: `adopt`. */
  readonly existing?: 'adopt' | 'refuse' | undefined
  /**
   * Browsers that keep no keys themselves: `unchanged`, or `webcrypto`, a key that a script keeps. Default:
   * `unchanged`.
   */
  readonly withoutDbsc?: 'unchanged' | 'webcrypto' | undefined
}

/** Bound sessions with their defaults. */
export interface CompiledBind {
  readonly cookie: string
  /** Milliseconds. */
  readonly interval: number
  readonly existing: 'adopt' | 'refuse'
  readonly withoutDbsc: 'unchanged' | 'webcrypto'
}

interface Seen {
  readonly status?: number | readonly number[]
  readonly redirect?: string
  readonly cookie?: string
  readonly text?: string
  readonly json?: string
}

const code = z.int().min(100).max(599)

const answerTest: z.ZodType<readonly AnswerTest[], AnswerTestConfig> = parsed(
  section<Seen, AnswerTestConfig>('AnswerTestConfig', {
    status: key(z.union([code, listOf(code)]), { description: 'Status codes of the answer.', example: 401 }),
    redirect: key(text, {
      description: 'The answer redirects to a path that begins with this.',
      example: '/login',
    }),
    cookie: key(text, { description: 'The answer sets this cookie.', example: 'sid' }),
    text: key(text, { description: 'The body contains this text.', example: 'Wrong password' }),
    json: key(text, { description: 'The JSON body has something at this path.', example: 'errors' }),
  }),
  undefined,
  ({ status: codes, redirect: prefix, cookie, text: words, json }) => [
    ...(codes === undefined ? [] : [status(...(typeof codes === 'number' ? [codes] : codes))]),
    ...(prefix === undefined ? [] : [redirect(prefix)]),
    ...(cookie === undefined ? [] : [setsCookie(cookie)]),
    ...(words === undefined ? [] : [answerText(words)]),
    ...(json === undefined ? [] : [answerJson(json)]),
  ],
)

const graphql: z.ZodType<GraphqlLogin, GraphqlLoginConfig> = section<GraphqlLogin, GraphqlLoginConfig>(
  'GraphqlLoginConfig',
  {
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
  },
)

const jsonRpc: z.ZodType<JsonRpcLogin, JsonRpcLoginConfig> = section<JsonRpcLogin, JsonRpcLoginConfig>(
  'JsonRpcLoginConfig',
  {
    method: required(text, { description: 'Method that signs in.', example: 'auth.login' }),
    account: required(text, {
      description: 'Name or position of the account in the parameters.',
      example: 'email',
    }),
  },
)

/** `login` of a route, compiled. */
export type CompiledRouteLogin = Omit<LoginSettings, 'lanes'>

/** `login` of a route. */
export const routeLogin: z.ZodType<CompiledRouteLogin, RouteLoginConfig> = section<
  CompiledRouteLogin,
  RouteLoginConfig
>('RouteLoginConfig', {
  account: key(z.union([text, listOf(text)]), {
    description: 'Body field with the account; several in order of preference.',
    defaultText: 'the usual names',
    example: 'email',
  }),
  graphql: key(graphql, {
    description: 'The login is a GraphQL mutation.',
    example: { field: 'login', account: 'email' },
  }),
  jsonRpc: key(jsonRpc, {
    description: 'The login is a JSON-RPC call.',
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
})

/** `login`. */
export const login: z.ZodType<CompiledLoginConfig | false, LoginConfig | false | undefined> = key(
  orOff(
    section<CompiledLoginConfig, LoginConfig>('LoginConfig', {
      obvious: key(flag, {
        description: 'Guards routes that look like a login, too.',
        default: true,
        example: false,
      }),
      proofOfWork: key(flag, {
        description: 'Asks unknown clients for proof of work while many sign-ins fail.',
        default: true,
        example: false,
      }),
      link: key(inCode<LinkMail>('{ origin, send(account, url) }', isLinkMail), {
        description: 'Mails a link to whom no other way in is left: `{ origin, send }`. In code only.',
        defaultText: 'none',
      }),
      exempt: key(addressSet, {
        description: 'Addresses whose wrong passwords hold nothing up, ranges included.',
        default: [],
        defaultText: 'none',
        example: ['192.0.2.7'],
      }),
    }),
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

/** `csrf`. */
export const csrf: z.ZodType<CompiledCsrf | false, boolean | CsrfConfig | undefined> = key(
  parsed(
    z.union([
      flag,
      section<CompiledCsrf, CsrfConfig>('CsrfConfig', {
        origins: key(listOf(text), {
          description: 'Other origins whose pages may send requests.',
          default: [],
          defaultText: 'none',
          example: ['https://admin.example'],
        }),
        cookies: key(listOf(text), {
          description: 'Cookies that sign somebody in.',
          defaultText: 'any cookie',
          example: ['connect.sid'],
        }),
      }),
    ]),
    undefined,
    said => (said === true ? { origins: [] } : said),
  ),
  {
    description: 'Refuses requests that another site made a browser send with its cookies.',
    default: false,
    defaultText: 'off',
    example: true,
  },
)

/** `csrf` of a route. */
export const routeCsrf: z.ZodType<false | 'always', false | 'always'> = z.union([
  z.literal(false),
  z.literal('always'),
])

const csp = z.record(
  z.string().regex(/^[a-z-]+$/),
  z.string().regex(/^[^;,\r\n]*$/, 'must be the sources of one directive'),
)
const headerText = z.union([
  z.literal(false),
  z.string().regex(/^[\x20-\x7e]{1,2000}$/, 'must be a header value'),
])

/** Changes to the security headers of `strict` or `compatible`. */
export interface HeaderChangesConfig {
  /** What is changed. Default: `strict`. */
  readonly base?: 'strict' | 'compatible' | undefined
  /** Content-Security-Policy of pages, by directive. `'nonce'` in a value becomes the nonce of the answer. */
  readonly contentSecurityPolicy?: Readonly<Record<string, string>> | false | undefined
  /** `enforce`, or `report` to only log. */
  readonly cspMode?: 'enforce' | 'report' | undefined
  /** Strict-Transport-Security, on HTTPS. */
  readonly strictTransportSecurity?: string | false | undefined
  /** Cross-Origin-Opener-Policy. */
  readonly crossOriginOpenerPolicy?: string | false | undefined
  /** Cross-Origin-Resource-Policy. */
  readonly crossOriginResourcePolicy?: string | false | undefined
  /** Referrer-Policy. */
  readonly referrerPolicy?: string | false | undefined
  /** Permissions-Policy. */
  readonly permissionsPolicy?: string | false | undefined
  /** X-Frame-Options. */
  readonly frameOptions?: string | false | undefined
  /** Cookies of the backend: `tighten`, `report`, or `false` to leave them alone. */
  readonly cookies?: 'tighten' | 'report' | false | undefined
}

/** Security headers as they are written. */
export type HeadersConfig = 'strict' | 'compatible' | HeaderChangesConfig

type Changes = Exclude<HeadersSetting, string>

const changes: z.ZodType<Changes, HeaderChangesConfig> = section<Changes, HeaderChangesConfig>(
  'HeaderChangesConfig',
  {
    base: key(oneOf('strict', 'compatible'), {
      description: 'What is changed.',
      defaultText: '`strict`',
      example: 'compatible',
    }),
    contentSecurityPolicy: key(orOff(csp), {
      description:
        "Content-Security-Policy of pages, by directive. `'nonce'` in a value becomes the nonce of the answer.",
      example: { 'default-src': "'self'" },
    }),
    cspMode: key(oneOf('enforce', 'report'), {
      description: '`enforce`, or `report` to only log.',
      example: 'report',
    }),
    strictTransportSecurity: key(headerText, {
      description: 'Strict-Transport-Security, on HTTPS.',
      example: 'max-age=86400',
    }),
    crossOriginOpenerPolicy: key(headerText, {
      description: 'Cross-Origin-Opener-Policy.',
      example: 'unsafe-none',
    }),
    crossOriginResourcePolicy: key(headerText, {
      description: 'Cross-Origin-Resource-Policy.',
      example: 'cross-origin',
    }),
    referrerPolicy: key(headerText, { description: 'Referrer-Policy.', example: 'same-origin' }),
    permissionsPolicy: key(headerText, { description: 'Permissions-Policy.', example: 'camera=()' }),
    frameOptions: key(headerText, { description: 'X-Frame-Options.', example: 'SAMEORIGIN' }),
    cookies: key(z.union([z.literal(false), oneOf('tighten', 'report')]), {
      description: 'Cookies of the backend: `tighten`, `report`, or `false` to leave them alone.',
      example: 'report',
    }),
  },
)

/** Security headers of a route. */
export const routeHeaders: z.ZodType<HeadersSetting | false, HeadersConfig | false> = z.union([
  z.literal(false),
  oneOf('strict', 'compatible'),
  changes,
])

/** `headers`. */
export const headers: z.ZodType<HeadersSetting | false, HeadersConfig | false | undefined> = key(
  routeHeaders,
  {
    description:
      'Security headers that answers do not set themselves: `strict`, `compatible` (content policy only reports), or changes to one of them.',
    default: false,
    defaultText: 'off',
    example: 'compatible',
  },
)

/** `bind`. */
export const bind: z.ZodType<CompiledBind | undefined, BindConfig | undefined> = key(
  section<CompiledBind, BindConfig>('BindConfig', {
    cookie: required(z.string().regex(/^[!#$%&'*+.^_`|~\w-]+$/, 'must be the name of a cookie'), {
      description: "The backend's session cookie.",
      example: 'connect.sid',
    }),
    interval: key(
      duration.refine(value => value >= 30_000, 'must be at least 30s'),
      {
        description: 'How long a stolen cookie works at most.',
        default: '5m',
        example: '2m',
      },
    ),
    existing: key(oneOf('adopt', 'refuse'), {
      description: 'Cookies from before: `adopt` or `refuse`.',
      default: 'adopt',
      example: 'refuse',
    }),
    withoutDbsc: key(oneOf('unchanged', 'webcrypto'), {
      description:
        'Browsers that keep no keys themselves: `unchanged`, or `webcrypto`, a key that a script keeps.',
      default: 'unchanged',
      example: 'webcrypto',
    }),
  }),
  {
    description:
      "Keeps the backend's session cookie from the browser, which gets a short-lived one bound to its device instead (DBSC).",
    defaultText: 'off',
    example: { cookie: 'connect.sid' },
  },
)
