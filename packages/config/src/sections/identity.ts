import type { Duration } from '@postern/core'
import * as z from 'zod'
import { key, required, section } from '../key.ts'
import { count, duration, listOf, oneOf, text } from '../types.ts'

/** Where mails of identity go. */
export interface MailConfig {
  /**
   * `smtps://user:password@host:465`, or `smtp://`, where STARTTLS is required. A secret: write `${NAME}`.
   */
  readonly smtp: string
  /** The sender. */
  readonly from: string
}

/** How long a sign-in lasts. */
export interface IdentitySessionsConfig {
  /** Ends a session that is not used for so long. Default: `3d`. */
  readonly idle?: Duration | undefined
  /** Ends a session in any case. Default: `30d`. */
  readonly lifetime?: Duration | undefined
}

/** API keys. */
export interface IdentityKeysConfig {
  /** First part of every key: 2 to 16 small letters and digits. Default: `postern`. */
  readonly prefix?: string | undefined
  /** Live keys that one owner may have. Default: `100`. */
  readonly perOwner?: number | undefined
}

/** How the backend learns who acts. */
export interface IdentityBackendConfig {
  /** `aud` of the token. Default: the origin. */
  readonly audience?: string | undefined
  /** Header that carries the token. Default: `x-identity-jwt`. */
  readonly header?: string | undefined
  /**
   * What the token says of a person besides who acts: `email` (with `email_verified`), `name`. Default:
   * nothing.
   */
  readonly claims?: readonly ('email' | 'name')[] | undefined
}

/** Another OpenID Connect provider that people can sign in with. */
export interface ProviderConfig {
  /** Part of its redirect URI: `ORIGIN/.postern/external/callback/ID`. */
  readonly id: string
  /** What the button says. */
  readonly name: string
  /** Its issuer, exactly as in its metadata. */
  readonly issuer: string
  /** Id of this site there. */
  readonly clientId: string
  /** Secret of this site there. A secret: write `${NAME}`. Default: a public client. */
  readonly clientSecret?: string | undefined
}

/** A program that acts for people by OAuth. */
export interface OauthClientConfig {
  /** `client_id`. */
  readonly id: string
  /** What people read when it asks for access. */
  readonly name: string
  /** `client_secret`. A secret: write `${NAME}`. Default: a public client. */
  readonly secret?: string | undefined
  /** Where it gets its answer, exactly. Default: nowhere. */
  readonly redirectUris?: readonly string[] | undefined
  /** What it may do. Default: `code` and `refresh`. */
  readonly grants?: readonly OauthGrant[] | undefined
}

/** How a client gets its tokens. */
export type OauthGrant = 'code' | 'refresh' | 'device' | 'credentials'

/** An API that tokens are for. */
export interface OauthResourceConfig {
  /** Its URI. */
  readonly uri: string
  /** Scopes a client may ask for. */
  readonly scopes: readonly string[]
  /** `jwt` (RFC 9068) for an API that verifies tokens itself. Default: `opaque`. */
  readonly tokens?: 'opaque' | 'jwt' | undefined
}

/** The OAuth 2.1 and OpenID Connect server. */
export interface OauthConfig {
  /** Programs that are known beforehand. Default: none. */
  readonly clients?: readonly OauthClientConfig[] | undefined
  /** APIs that tokens are for; a request that names none is for the first. Default: none. */
  readonly resources?: readonly OauthResourceConfig[] | undefined
  /** Whether a client may be a URL of its own metadata, as MCP clients are. Default: `no`. */
  readonly metadataDocuments?: 'yes' | 'no' | undefined
}

/** How pages look. */
export interface ThemeConfig {
  /** Colour of buttons and links. Default: `#2457c5`. */
  readonly accent?: string | undefined
  /** The same on a dark background. Default: `#9db8ff`. */
  readonly accentDark?: string | undefined
  /** How round corners are. Default: `0.5rem`. */
  readonly radius?: string | undefined
  /** Typeface of the pages. Default: the system's. */
  readonly font?: string | undefined
}

/** Accounts, sessions, passkeys, API keys and OAuth for an application that has none. */
export interface IdentityConfig {
  /**
   * The one origin people use. Links in mails, passkeys and checks are bound to it. Plain HTTP on loopback
   * only.
   */
  readonly origin: string
  /** Name of the site, on pages and in mails. Default: the host. */
  readonly siteName?: string | undefined
  /** Where people go after signing in. Default: `/`. */
  readonly home?: string | undefined
  /** Whether anybody may make an account. Default: `open`. */
  readonly signUp?: 'open' | 'closed' | undefined
  /**
   * A file with the secret of identity, the same on every node. Default: `identity.secret` in the data
   * directory, made at the first start.
   */
  readonly secretFile?: string | undefined
  /** Sends mails by SMTP. Default: files in the folder `outbox` of the data directory, for development. */
  readonly mail?: MailConfig | undefined
  /** How long a sign-in lasts. Default: see below. */
  readonly sessions?: IdentitySessionsConfig | undefined
  /** API keys. Default: see below. */
  readonly keys?: IdentityKeysConfig | undefined
  /** Sends a signed token of the principal to the backend. Default: none is sent. */
  readonly backend?: IdentityBackendConfig | undefined
  /** Other OpenID Connect providers that people can sign in with. Default: none. */
  readonly providers?: readonly ProviderConfig[] | undefined
  /** An OAuth 2.1 and OpenID Connect server. Default: none. */
  readonly oauth?: OauthConfig | undefined
  /** How pages look. Default: see below. */
  readonly theme?: ThemeConfig | undefined
}

/** An OAuth client with its defaults. */
export interface CompiledOauthClient {
  readonly id: string
  readonly name: string
  readonly secret?: string
  readonly redirectUris: readonly string[]
  readonly grants: readonly OauthGrant[]
}

/** Identity with its defaults; milliseconds. */
export interface CompiledIdentity {
  readonly origin: string
  readonly siteName?: string
  readonly home: string
  readonly signUp: 'open' | 'closed'
  readonly secretFile?: string
  readonly mail?: MailConfig
  readonly sessions: { readonly idle: number; readonly lifetime: number }
  readonly keys: { readonly prefix: string; readonly perOwner: number }
  readonly backend?: {
    readonly audience?: string
    readonly header: string
    readonly claims: readonly ('email' | 'name')[]
  }
  readonly providers: readonly (Omit<ProviderConfig, 'clientSecret'> & { readonly clientSecret?: string })[]
  readonly oauth?: {
    readonly clients: readonly CompiledOauthClient[]
    readonly resources: readonly (Omit<OauthResourceConfig, 'tokens'> & {
      readonly tokens: 'opaque' | 'jwt'
    })[]
    readonly metadataDocuments: 'yes' | 'no'
  }
  readonly theme: {
    readonly accent?: string
    readonly accentDark?: string
    readonly radius?: string
    readonly font?: string
  }
}

type Compiled<Name extends keyof CompiledIdentity> = NonNullable<CompiledIdentity[Name]>

const word = z.string().regex(/^[a-z][a-z0-9]{1,15}$/, '2 to 16 small letters and digits')

const client: z.ZodType<CompiledOauthClient, OauthClientConfig> = section<
  CompiledOauthClient,
  OauthClientConfig
>('OauthClientConfig', {
  id: required(text, { description: '`client_id`.', example: 'app' }),
  name: required(text, { description: 'What people read when it asks for access.', example: 'Our app' }),
  secret: key(text, {
    description: '`client_secret`. A secret: write `${NAME}`.',
    defaultText: 'a public client',
    example: '${APP_SECRET}',
  }),
  redirectUris: key(listOf(text, 50), {
    description: 'Where it gets its answer, exactly.',
    default: [],
    defaultText: 'nowhere',
    example: ['https://app.example/callback'],
  }),
  grants: key(listOf(oneOf('code', 'refresh', 'device', 'credentials'), 4), {
    description: 'What it may do.',
    default: ['code', 'refresh'],
    defaultText: '`code` and `refresh`',
    example: ['device'],
  }),
})

const oauth: z.ZodType<Compiled<'oauth'>, OauthConfig> = section<Compiled<'oauth'>, OauthConfig>(
  'OauthConfig',
  {
    clients: key(listOf(client, 1_000), {
      description: 'Programs that are known beforehand.',
      default: [],
      defaultText: 'none',
    }),
    resources: key(
      listOf(
        section<Compiled<'oauth'>['resources'][number], OauthResourceConfig>('OauthResourceConfig', {
          uri: required(z.url(), { description: 'Its URI.', example: 'https://api.shop.example' }),
          scopes: required(listOf(text, 200), {
            description: 'Scopes a client may ask for.',
            example: ['orders:read'],
          }),
          tokens: key(oneOf('opaque', 'jwt'), {
            description: '`jwt` (RFC 9068) for an API that verifies tokens itself.',
            default: 'opaque',
            example: 'jwt',
          }),
        }),
        100,
      ),
      {
        description: 'APIs that tokens are for; a request that names none is for the first.',
        default: [],
        defaultText: 'none',
      },
    ),
    metadataDocuments: key(oneOf('yes', 'no'), {
      description: 'Whether a client may be a URL of its own metadata, as MCP clients are.',
      default: 'no',
      example: 'yes',
    }),
  },
)

const provider: z.ZodType<Compiled<'providers'>[number], ProviderConfig> = section<
  Compiled<'providers'>[number],
  ProviderConfig
>('ProviderConfig', {
  id: required(text, {
    description: 'Part of its redirect URI: `ORIGIN/.postern/external/callback/ID`.',
    example: 'google',
  }),
  name: required(text, { description: 'What the button says.', example: 'Google' }),
  issuer: required(z.url(), {
    description: 'Its issuer, exactly as in its metadata.',
    example: 'https://accounts.google.com',
  }),
  clientId: required(text, { description: 'Id of this site there.', example: '1234.apps.example' }),
  clientSecret: key(text, {
    description: 'Secret of this site there. A secret: write `${NAME}`.',
    defaultText: 'a public client',
    example: '${GOOGLE_SECRET}',
  }),
})

/** `identity`. */
export const identity: z.ZodType<CompiledIdentity | undefined, IdentityConfig | undefined> = key(
  section<CompiledIdentity, IdentityConfig>('IdentityConfig', {
    origin: required(z.url({ protocol: /^https?$/ }), {
      description:
        'The one origin people use. Links in mails, passkeys and checks are bound to it. Plain HTTP on loopback only.',
      example: 'https://shop.example',
    }),
    siteName: key(text, {
      description: 'Name of the site, on pages and in mails.',
      defaultText: 'the host',
      example: 'Shop',
    }),
    home: key(z.string().regex(/^\/(?!\/)/, 'a path such as /orders'), {
      description: 'Where people go after signing in.',
      default: '/',
      example: '/orders',
    }),
    signUp: key(oneOf('open', 'closed'), {
      description: 'Whether anybody may make an account.',
      default: 'open',
      example: 'closed',
    }),
    secretFile: key(text, {
      description: 'A file with the secret of identity, the same on every node.',
      defaultText: '`identity.secret` in the data directory, made at the first start',
      example: '/run/secrets/identity',
    }),
    mail: key(
      section<MailConfig, MailConfig>('MailConfig', {
        smtp: required(text, {
          description:
            '`smtps://user:password@host:465`, or `smtp://`, where STARTTLS is required. A secret: write `${NAME}`.',
          example: '${SMTP_URL}',
        }),
        from: required(text, { description: 'The sender.', example: 'Shop <no-reply@shop.example>' }),
      }),
      {
        description: 'Sends mails by SMTP.',
        defaultText: 'files in the folder `outbox` of the data directory, for development',
        example: { smtp: '${SMTP_URL}', from: 'Shop <no-reply@shop.example>' },
      },
    ),
    sessions: key(
      section<Compiled<'sessions'>, IdentitySessionsConfig>('IdentitySessionsConfig', {
        idle: key(duration, {
          description: 'Ends a session that is not used for so long.',
          default: '3d',
          example: '1h',
        }),
        lifetime: key(duration, {
          description: 'Ends a session in any case.',
          default: '30d',
          example: '12h',
        }),
      }),
      {
        description: 'How long a sign-in lasts.',
        default: {},
        defaultText: 'see below',
        example: { idle: '1h' },
      },
    ),
    keys: key(
      section<Compiled<'keys'>, IdentityKeysConfig>('IdentityKeysConfig', {
        prefix: key(word, {
          description: 'First part of every key: 2 to 16 small letters and digits.',
          default: 'postern',
          example: 'shop',
        }),
        perOwner: key(count, {
          description: 'Live keys that one owner may have.',
          default: 100,
          example: 10,
        }),
      }),
      { description: 'API keys.', default: {}, defaultText: 'see below', example: { prefix: 'shop' } },
    ),
    backend: key(
      section<Compiled<'backend'>, IdentityBackendConfig>('IdentityBackendConfig', {
        audience: key(text, {
          description: '`aud` of the token.',
          defaultText: 'the origin',
          example: 'orders',
        }),
        header: key(z.string().regex(/^[a-z0-9-]{1,64}$/, 'a header in small letters'), {
          description: 'Header that carries the token.',
          default: 'x-identity-jwt',
          example: 'x-user',
        }),
        claims: key(listOf(oneOf('email', 'name'), 2), {
          description:
            'What the token says of a person besides who acts: `email` (with `email_verified`), `name`.',
          default: [],
          defaultText: 'nothing',
          example: ['email', 'name'],
        }),
      }),
      {
        description: 'Sends a signed token of the principal to the backend.',
        defaultText: 'none is sent',
        example: {},
      },
    ),
    providers: key(listOf(provider, 20), {
      description: 'Other OpenID Connect providers that people can sign in with.',
      default: [],
      defaultText: 'none',
    }),
    oauth: key(oauth, {
      description: 'An OAuth 2.1 and OpenID Connect server.',
      defaultText: 'none',
      example: { metadataDocuments: 'yes' },
    }),
    theme: key(
      section<Compiled<'theme'>, ThemeConfig>('ThemeConfig', {
        accent: key(text, {
          description: 'Colour of buttons and links.',
          defaultText: '`#2457c5`',
          example: '#7a1fa2',
        }),
        accentDark: key(text, {
          description: 'The same on a dark background.',
          defaultText: '`#9db8ff`',
          example: '#e1bee7',
        }),
        radius: key(text, { description: 'How round corners are.', defaultText: '`0.5rem`', example: '0' }),
        font: key(text, {
          description: 'Typeface of the pages.',
          defaultText: "the system's",
          example: 'Georgia, serif',
        }),
      }),
      {
        description: 'How pages look.',
        default: {},
        defaultText: 'see below',
        example: { accent: '#7a1fa2' },
      },
    ),
  }),
  {
    description:
      'Accounts, sessions, passkeys, API keys and OAuth for an application that has none; see identity.md.',
    defaultText: 'off',
    example: { origin: 'https://shop.example' },
    applies: 'restart',
  },
)
