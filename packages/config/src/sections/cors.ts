import type { Duration } from '@postern/core'
import { type CorsSettings, checkCors } from '@postern/protocol'
import type * as z from 'zod/mini'
import { key, orOff, parsed, required, section } from '../key/key.ts'
import { duration, flag, headerName, listOf, method, oneOf, text } from '../key/types.ts'

/** Which pages of other origins may read answers. */
export interface CorsConfig {
  /** `https://app.example.com`, `https://*.example.com` for every host below, or `*` for every page. */
  readonly origins: readonly string[]
  /** Whether pages may send cookies and read the responses. Default: `false`. */
  readonly credentials?: boolean | undefined
  /** Methods that pages may send. Default: those that the route answers. */
  readonly methods?: readonly string[] | undefined
  /** Request headers that pages may send. Default: those that they ask for. */
  readonly headers?: readonly string[] | undefined
  /**
   * Answer headers that pages may read, besides `Retry-After`, `RateLimit` and `X-Request-Id`. Default: none.
   */
  readonly expose?: readonly string[] | undefined
  /** How long browsers remember the answer to a preflight. Default: `10m`. */
  readonly maxAge?: Duration | undefined
  /** Whether Postern answers preflights, or passes them to the backend. Default: `answer`. */
  readonly preflight?: 'answer' | 'pass' | undefined
}

/** `cors` of a route, and what `cors` of the whole configuration is made of. */
export const corsHere: z.ZodMiniType<CorsSettings | false, CorsConfig | false> = orOff(
  parsed(
    section<CorsSettings, CorsConfig>('CorsConfig', () => ({
      origins: required(listOf(text, 1_000), {
        description:
          '`https://app.example.com`, `https://*.example.com` for every host below, or `*` for every page.',
        example: ['https://app.example.com'],
      }),
      credentials: key(flag, {
        description: 'Whether pages may send cookies and read the responses.',
        default: false,
        example: true,
      }),
      methods: key(listOf(method), {
        description: 'Methods that pages may send.',
        defaultText: 'those that the route answers',
        example: ['GET', 'POST'],
      }),
      headers: key(listOf(headerName), {
        description: 'Request headers that pages may send.',
        defaultText: 'those that they ask for',
        example: ['Content-Type', 'Authorization'],
      }),
      expose: key(listOf(headerName), {
        description:
          'Answer headers that pages may read, besides `Retry-After`, `RateLimit` and `X-Request-Id`.',
        default: [],
        defaultText: 'none',
        example: ['ETag'],
      }),
      maxAge: key(duration, {
        description: 'How long browsers remember the answer to a preflight.',
        default: '10m',
        example: '1h',
      }),
      preflight: key(oneOf('answer', 'pass'), {
        description: 'Whether Postern answers preflights, or passes them to the backend.',
        default: 'answer',
        example: 'pass',
      }),
    })),
    undefined,
    settings => {
      checkCors(settings)
      return settings
    },
  ),
)

/** `cors`. */
export const cors: z.ZodMiniType<CorsSettings | false, CorsConfig | false | undefined> = key(corsHere, {
  description:
    'Which pages of other origins may read answers, refusals too, and preflights answered before every check; or `false`.',
  default: false,
  defaultText: 'as the backend says',
  example: { origins: ['https://app.example.com'], credentials: true },
})
