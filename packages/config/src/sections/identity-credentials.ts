import type { Duration } from '@postern/core'
import * as z from 'zod/mini'
import { key, section } from '../key/key.ts'
import { count, duration, listOf, oneOf, text } from '../key/types.ts'

/** How long a sign-in lasts. */
export interface IdentitySessionsConfig {
  /** A session that is not used for this time ends. Default: `3d`. */
  readonly idle?: Duration | undefined
  /** A session ends this long after the sign-in, used or not. Default: `30d`. */
  readonly lifetime?: Duration | undefined
  /** Where sessions are stored: with the accounts, or in `stores.redis`. Default: `database`. */
  readonly store?: 'database' | 'redis' | undefined
}

/** API keys. */
export interface IdentityKeysConfig {
  /** First part of every key: 2 to 16 small letters and digits. Default: `postern`. */
  readonly prefix?: string | undefined
  /** Most live keys of one owner. Default: `100`. */
  readonly perOwner?: number | undefined
}

/** How the backend learns who acts. */
export interface IdentityBackendConfig {
  /** Audience of the token (`aud`), which the backend must check. Default: the origin. */
  readonly audience?: string | undefined
  /** Header that carries the token. Default: `x-identity-jwt`. */
  readonly header?: string | undefined
  /**
   * Claims of the token besides those of the principal: `email` (with `email_verified`), `name`. Default:
   * nothing.
   */
  readonly claims?: readonly ('email' | 'name')[] | undefined
}

/** Sessions with their defaults; milliseconds. */
export interface CompiledIdentitySessions {
  readonly idle: number
  readonly lifetime: number
  readonly store: 'database' | 'redis'
}

/** API keys with their defaults. */
export interface CompiledIdentityKeys {
  readonly prefix: string
  readonly perOwner: number
}

/** The backend's token with its defaults. */
export interface CompiledIdentityBackend {
  readonly audience?: string
  readonly header: string
  readonly claims: readonly ('email' | 'name')[]
}

const word = z.string().check(z.regex(/^[a-z][a-z0-9]{1,15}$/, '2 to 16 small letters and digits'))

/** `identity.sessions`. */
export const identitySessions: z.ZodMiniType<CompiledIdentitySessions, IdentitySessionsConfig | undefined> =
  key(
    section<CompiledIdentitySessions, IdentitySessionsConfig>('IdentitySessionsConfig', () => ({
      idle: key(duration, {
        description: 'A session that is not used for this time ends.',
        default: '3d',
        example: '1h',
      }),
      lifetime: key(duration, {
        description: 'A session ends this long after the sign-in, used or not.',
        default: '30d',
        example: '12h',
      }),
      store: key(oneOf('database', 'redis'), {
        description: 'Where sessions are stored: with the accounts, or in `stores.redis`.',
        default: 'database',
        example: 'redis',
      }),
    })),
    {
      description: 'How long sessions last, and where they are stored.',
      default: {},
      defaultText: 'see below',
      example: { idle: '1h' },
    },
  )

/** `identity.keys`. */
export const identityKeys: z.ZodMiniType<CompiledIdentityKeys, IdentityKeysConfig | undefined> = key(
  section<CompiledIdentityKeys, IdentityKeysConfig>('IdentityKeysConfig', () => ({
    prefix: key(word, {
      description: 'First part of every key: 2 to 16 small letters and digits.',
      default: 'postern',
      example: 'shop',
    }),
    perOwner: key(count, {
      description: 'Most live keys of one owner.',
      default: 100,
      example: 10,
    }),
  })),
  {
    description: 'The API keys that accounts can make.',
    default: {},
    defaultText: 'see below',
    example: { prefix: 'shop' },
  },
)

/** `identity.backend`. */
export const identityBackend: z.ZodMiniType<
  CompiledIdentityBackend | undefined,
  IdentityBackendConfig | undefined
> = key(
  section<CompiledIdentityBackend, IdentityBackendConfig>('IdentityBackendConfig', () => ({
    audience: key(text, {
      description: 'Audience of the token (`aud`), which the backend must check.',
      defaultText: 'the origin',
      example: 'orders',
    }),
    header: key(z.string().check(z.regex(/^[a-z0-9-]{1,64}$/, 'a header in small letters')), {
      description: 'Header that carries the token.',
      default: 'x-identity-jwt',
      example: 'x-user',
    }),
    claims: key(listOf(oneOf('email', 'name'), 2), {
      description:
        'Claims of the token besides those of the principal: `email` (with `email_verified`), `name`.',
      default: [],
      defaultText: 'nothing',
      example: ['email', 'name'],
    }),
  })),
  {
    description: 'Sends a signed token of the principal to the backend.',
    defaultText: 'none is sent',
    example: {},
  },
)
