import type { Duration } from '@postern/core'
import type * as z from 'zod/mini'
import { key, orOff, required, section } from '../key/key.ts'
import { listOf, oneOf, secondToMinute, text, url } from '../key/types.ts'

/** A program that acts for people by OAuth. */
export interface OauthClientConfig {
  /** Id of the client (`client_id`). */
  readonly id: string
  /** The name that users see when the client asks for access. */
  readonly name: string
  /** Secret of the client (`client_secret`). A secret: write `${NAME}`. Default: a public client. */
  readonly secret?: string | undefined
  /** Redirect URIs of the client, compared exactly. Default: nowhere. */
  readonly redirectUris?: readonly string[] | undefined
  /** Grants that the client may use. Default: `code` and `refresh`. */
  readonly grants?: readonly OauthGrant[] | undefined
}

/** How a client gets its tokens. */
export type OauthGrant = 'code' | 'refresh' | 'device' | 'credentials'

/** An API that tokens are for. */
export interface OauthResourceConfig {
  /** URI of the API, as a client names it in `resource` (RFC 8707). */
  readonly uri: string
  /** Scopes that a client may ask for. */
  readonly scopes: readonly string[]
  /**
   * `opaque` for this site. For an API elsewhere: `introspected` when it asks this server about a token,
   * `jwt` (RFC 9068) when it verifies tokens itself; neither identifies a request here. Default: `opaque`.
   */
  readonly tokens?: 'opaque' | 'introspected' | 'jwt' | undefined
}

/** The OAuth 2.1 and OpenID Connect server. */
export interface OauthConfig {
  /** Clients that are registered in advance. Default: none. */
  readonly clients?: readonly OauthClientConfig[] | undefined
  /** APIs that tokens are for; a request that names none is for the first. Default: none. */
  readonly resources?: readonly OauthResourceConfig[] | undefined
  /** Whether a client may be identified by a URL of its metadata, as MCP clients are. Default: `no`. */
  readonly metadataDocuments?: 'yes' | 'no' | undefined
  /**
   * How long a refresh token that was replaced is still answered with its successor, to the same client: two
   * tabs refresh at once, or an answer was lost. At most `1m`; `false`: never. Default: `10s`.
   */
  readonly refreshGrace?: false | Duration | undefined
}

/** An OAuth client with its defaults. */
export interface CompiledOauthClient {
  readonly id: string
  readonly name: string
  readonly secret?: string
  readonly redirectUris: readonly string[]
  readonly grants: readonly OauthGrant[]
}

/** The OAuth server with its defaults. */
export interface CompiledOauth {
  readonly clients: readonly CompiledOauthClient[]
  readonly resources: readonly (Omit<OauthResourceConfig, 'tokens'> & {
    readonly tokens: 'opaque' | 'introspected' | 'jwt'
  })[]
  readonly metadataDocuments: 'yes' | 'no'
  readonly refreshGrace: false | number
}

const client: z.ZodMiniType<CompiledOauthClient, OauthClientConfig> = section<
  CompiledOauthClient,
  OauthClientConfig
>('OauthClientConfig', () => ({
  id: required(text, { description: 'Id of the client (`client_id`).', example: 'app' }),
  name: required(text, {
    description: 'The name that users see when the client asks for access.',
    example: 'Our app',
  }),
  secret: key(text, {
    description: 'Secret of the client (`client_secret`). A secret: write `${NAME}`.',
    defaultText: 'a public client',
    example: '${APP_SECRET}',
  }),
  redirectUris: key(listOf(text, 50), {
    description: 'Redirect URIs of the client, compared exactly.',
    default: [],
    defaultText: 'nowhere',
    example: ['https://app.example/callback'],
  }),
  grants: key(listOf(oneOf('code', 'refresh', 'device', 'credentials'), 4), {
    description: 'Grants that the client may use.',
    default: ['code', 'refresh'],
    defaultText: '`code` and `refresh`',
    example: ['device'],
  }),
}))

/** The value of `identity.oauth`. */
export const oauth: z.ZodMiniType<CompiledOauth, OauthConfig> = section<CompiledOauth, OauthConfig>(
  'OauthConfig',
  () => ({
    clients: key(listOf(client, 1_000), {
      description: 'Clients that are registered in advance.',
      default: [],
      defaultText: 'none',
      example: [{ id: 'app', name: 'Our app', redirectUris: ['https://app.example/callback'] }],
    }),
    resources: key(
      listOf(
        section<CompiledOauth['resources'][number], OauthResourceConfig>('OauthResourceConfig', () => ({
          uri: required(url, {
            description: 'URI of the API, as a client names it in `resource` (RFC 8707).',
            example: 'https://api.shop.example',
          }),
          scopes: required(listOf(text, 200), {
            description: 'Scopes that a client may ask for.',
            example: ['orders:read'],
          }),
          tokens: key(oneOf('opaque', 'introspected', 'jwt'), {
            description:
              '`opaque` for this site. For an API elsewhere: `introspected` when it asks this server about a token, `jwt` (RFC 9068) when it verifies tokens itself; neither identifies a request here.',
            default: 'opaque',
            example: 'jwt',
          }),
        })),
        100,
      ),
      {
        description: 'APIs that tokens are for; a request that names none is for the first.',
        default: [],
        defaultText: 'none',
        example: [{ uri: 'https://api.shop.example', scopes: ['orders:read'] }],
      },
    ),
    metadataDocuments: key(oneOf('yes', 'no'), {
      description: 'Whether a client may be identified by a URL of its metadata, as MCP clients are.',
      default: 'no',
      example: 'yes',
    }),
    refreshGrace: key(orOff(secondToMinute), {
      description:
        'How long a refresh token that was replaced is still answered with its successor, to the same client: two tabs refresh at once, or an answer was lost. At most `1m`; `false`: never.',
      default: 10_000,
      defaultText: '`10s`',
      example: '30s',
    }),
  }),
)
