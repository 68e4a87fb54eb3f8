import * as z from 'zod/mini'
import { key, required, section } from '../key/key.ts'
import { listOf, oneOf, text, url, webUrl } from '../key/types.ts'
import {
  type CompiledIdentityBackend,
  type CompiledIdentityKeys,
  type CompiledIdentitySessions,
  type IdentityBackendConfig,
  type IdentityKeysConfig,
  type IdentitySessionsConfig,
  identityBackend,
  identityKeys,
  identitySessions,
} from './identity-credentials.ts'
import { type CompiledOauth, type OauthConfig, oauth } from './identity-oauth.ts'

/** Where mails of identity go. */
export interface MailConfig {
  /**
   * `smtps://user:password@host:465`, or `smtp://`, where STARTTLS is required. A secret: write `${NAME}`.
   */
  readonly smtp: string
  /** Sender of the mails, such as `Shop <no-reply@shop.example>`. */
  readonly from: string
}

/** Another OpenID Connect provider that people can sign in with. */
export interface ProviderConfig {
  /**
   * Id of the provider, a part of the redirect URI to register there: `ORIGIN/.postern/external/callback/ID`.
   */
  readonly id: string
  /** Text of the button on the sign-in page. */
  readonly name: string
  /** Issuer of the provider, exactly as in its metadata. */
  readonly issuer: string
  /** `client_id` of this site at the provider. */
  readonly clientId: string
  /** `client_secret` of this site at the provider. A secret: write `${NAME}`. Default: a public client. */
  readonly clientSecret?: string | undefined
}

/** How pages look. */
export interface ThemeConfig {
  /** Colour of buttons and links, as CSS writes it. Default: `#2457c5`. */
  readonly accent?: string | undefined
  /** Colour of buttons and links on a dark background. Default: `#9db8ff`. */
  readonly accentDark?: string | undefined
  /** Radius of corners, as CSS writes it. Default: `0.5rem`. */
  readonly radius?: string | undefined
  /** Typeface of the pages, as CSS writes it. Default: the system's. */
  readonly font?: string | undefined
}

/** Accounts, sessions, passkeys, API keys and OAuth for an application that has none. */
export interface IdentityConfig {
  /**
   * The one origin that people use. Links in mails, passkeys and checks are bound to it. Plain HTTP on
   * loopback only.
   */
  readonly origin: string
  /** Name of the site, on pages and in mails. Default: the host. */
  readonly siteName?: string | undefined
  /** Path to which people are led after signing in. Default: `/`. */
  readonly home?: string | undefined
  /** Whether anyone can create an account. Default: `open`. */
  readonly signUp?: 'open' | 'closed' | undefined
  /**
   * Whether a mailed link signs in. With `never`, mail only resets a password, which signs nobody in.
   * Default: `sign-in`.
   */
  readonly mailedLinks?: 'sign-in' | 'never' | undefined
  /**
   * A file with the secret of identity, the same on every node. Default: `identity.secret` in the data
   * directory, made at the first start.
   */
  readonly secretFile?: string | undefined
  /** Sends mails by SMTP. Default: files in the folder `outbox` of the data directory, for development. */
  readonly mail?: MailConfig | undefined
  /** How long sessions last, and where they are stored. Default: see below. */
  readonly sessions?: IdentitySessionsConfig | undefined
  /** The API keys that accounts can make. Default: see below. */
  readonly keys?: IdentityKeysConfig | undefined
  /** Sends a signed token of the principal to the backend. Default: none is sent. */
  readonly backend?: IdentityBackendConfig | undefined
  /** Other OpenID Connect providers that people can sign in with. Default: none. */
  readonly providers?: readonly ProviderConfig[] | undefined
  /** Makes this site an OAuth 2.1 and OpenID Connect server. Default: none. */
  readonly oauth?: OauthConfig | undefined
  /** Colours, corners and typeface of the pages. Default: see below. */
  readonly theme?: ThemeConfig | undefined
}

/** Identity with its defaults; milliseconds. */
export interface CompiledIdentity {
  readonly origin: string
  readonly siteName?: string
  readonly home: string
  readonly signUp: 'open' | 'closed'
  readonly mailedLinks: 'sign-in' | 'never'
  readonly secretFile?: string
  readonly mail?: MailConfig
  readonly sessions: CompiledIdentitySessions
  readonly keys: CompiledIdentityKeys
  readonly backend?: CompiledIdentityBackend
  readonly providers: readonly (Omit<ProviderConfig, 'clientSecret'> & { readonly clientSecret?: string })[]
  readonly oauth?: CompiledOauth
  readonly theme: {
    readonly accent?: string
    readonly accentDark?: string
    readonly radius?: string
    readonly font?: string
  }
}

type Compiled<Name extends keyof CompiledIdentity> = NonNullable<CompiledIdentity[Name]>

const provider: z.ZodMiniType<Compiled<'providers'>[number], ProviderConfig> = section<
  Compiled<'providers'>[number],
  ProviderConfig
>('ProviderConfig', () => ({
  id: required(text, {
    description:
      'Id of the provider, a part of the redirect URI to register there: `ORIGIN/.postern/external/callback/ID`.',
    example: 'google',
  }),
  name: required(text, { description: 'Text of the button on the sign-in page.', example: 'Google' }),
  issuer: required(url, {
    description: 'Issuer of the provider, exactly as in its metadata.',
    example: 'https://accounts.google.com',
  }),
  clientId: required(text, {
    description: '`client_id` of this site at the provider.',
    example: '1234.apps.example',
  }),
  clientSecret: key(text, {
    description: '`client_secret` of this site at the provider. A secret: write `${NAME}`.',
    defaultText: 'a public client',
    example: '${GOOGLE_SECRET}',
  }),
}))

/** `identity`. */
export const identity: z.ZodMiniType<CompiledIdentity | undefined, IdentityConfig | undefined> = key(
  section<CompiledIdentity, IdentityConfig>('IdentityConfig', () => ({
    origin: required(webUrl, {
      description:
        'The one origin that people use. Links in mails, passkeys and checks are bound to it. Plain HTTP on loopback only.',
      example: 'https://shop.example',
    }),
    siteName: key(text, {
      description: 'Name of the site, on pages and in mails.',
      defaultText: 'the host',
      example: 'Shop',
    }),
    home: key(z.string().check(z.regex(/^\/(?!\/)/, 'a path such as /orders')), {
      description: 'Path to which people are led after signing in.',
      default: '/',
      example: '/orders',
    }),
    signUp: key(oneOf('open', 'closed'), {
      description: 'Whether anyone can create an account.',
      default: 'open',
      example: 'closed',
    }),
    mailedLinks: key(oneOf('sign-in', 'never'), {
      description:
        'Whether a mailed link signs in. With `never`, mail only resets a password, which signs nobody in.',
      default: 'sign-in',
      example: 'never',
    }),
    secretFile: key(text, {
      description: 'A file with the secret of identity, the same on every node.',
      defaultText: '`identity.secret` in the data directory, made at the first start',
      example: '/run/secrets/identity',
    }),
    mail: key(
      section<MailConfig, MailConfig>('MailConfig', () => ({
        smtp: required(text, {
          description:
            '`smtps://user:password@host:465`, or `smtp://`, where STARTTLS is required. A secret: write `${NAME}`.',
          example: '${SMTP_URL}',
        }),
        from: required(text, {
          description: 'Sender of the mails, such as `Shop <no-reply@shop.example>`.',
          example: 'Shop <no-reply@shop.example>',
        }),
      })),
      {
        description: 'Sends mails by SMTP.',
        defaultText: 'files in the folder `outbox` of the data directory, for development',
        example: { smtp: '${SMTP_URL}', from: 'Shop <no-reply@shop.example>' },
      },
    ),
    sessions: identitySessions,
    keys: identityKeys,
    backend: identityBackend,
    providers: key(listOf(provider, 20), {
      description: 'Other OpenID Connect providers that people can sign in with.',
      default: [],
      defaultText: 'none',
      example: [
        {
          id: 'google',
          name: 'Google',
          issuer: 'https://accounts.google.com',
          clientId: '1234.apps.example',
          clientSecret: '${GOOGLE_SECRET}',
        },
      ],
    }),
    oauth: key(oauth, {
      description: 'Makes this site an OAuth 2.1 and OpenID Connect server.',
      defaultText: 'none',
      example: { metadataDocuments: 'yes' },
    }),
    theme: key(
      section<Compiled<'theme'>, ThemeConfig>('ThemeConfig', () => ({
        accent: key(text, {
          description: 'Colour of buttons and links, as CSS writes it.',
          defaultText: '`#2457c5`',
          example: '#7a1fa2',
        }),
        accentDark: key(text, {
          description: 'Colour of buttons and links on a dark background.',
          defaultText: '`#9db8ff`',
          example: '#e1bee7',
        }),
        radius: key(text, {
          description: 'Radius of corners, as CSS writes it.',
          defaultText: '`0.5rem`',
          example: '0',
        }),
        font: key(text, {
          description: 'Typeface of the pages, as CSS writes it.',
          defaultText: "the system's",
          example: 'Georgia, serif',
        }),
      })),
      {
        description: 'Colours, corners and typeface of the pages.',
        default: {},
        defaultText: 'see below',
        example: { accent: '#7a1fa2' },
      },
    ),
  })),
  {
    description:
      'Accounts, sessions, passkeys, API keys and OAuth for an application that has none; see identity.md.',
    defaultText: 'off',
    example: { origin: 'https://shop.example' },
    applies: 'restart',
  },
)
