import type { Duration } from '@postern/core'
import * as z from 'zod/mini'
import { key, required, section } from '../key/key.ts'
import { duration, oneOf } from '../key/types.ts'

/** Binds the backend's sessions to the device. */
export interface BindConfig {
  /** Name of the backend's session cookie. */
  readonly cookie: string
  /** Time between two proofs of the key, and so how long a stolen cookie works at most. Default: `5m`. */
  readonly interval?: Duration | undefined
  /**
   * Cookies from before binding was switched on: `adopt` binds them at their next use, `refuse` does not pass
   * them on. Default: `adopt`.
   */
  readonly existing?: 'adopt' | 'refuse' | undefined
  /**
   * What happens in browsers without device bound session credentials: `unchanged`, their cookie works as
   * before; `webcrypto`, a script keeps the key. Default: `unchanged`.
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

/** `bind`. */
export const bind: z.ZodMiniType<CompiledBind | undefined, BindConfig | undefined> = key(
  section<CompiledBind, BindConfig>('BindConfig', () => ({
    cookie: required(z.string().check(z.regex(/^[!#$%&'*+.^_`|~\w-]+$/, 'must be the name of a cookie')), {
      description: "Name of the backend's session cookie.",
      example: 'connect.sid',
    }),
    interval: key(duration.check(z.refine(value => value >= 30_000, 'must be at least 30s')), {
      description: 'Time between two proofs of the key, and so how long a stolen cookie works at most.',
      default: '5m',
      example: '2m',
    }),
    existing: key(oneOf('adopt', 'refuse'), {
      description:
        'Cookies from before binding was switched on: `adopt` binds them at their next use, `refuse` does not pass them on.',
      default: 'adopt',
      example: 'refuse',
    }),
    withoutDbsc: key(oneOf('unchanged', 'webcrypto'), {
      description:
        'What happens in browsers without device bound session credentials: `unchanged`, their cookie works as before; `webcrypto`, a script keeps the key.',
      default: 'unchanged',
      example: 'webcrypto',
    }),
  })),
  {
    description:
      "Keeps the backend's session cookie from the browser, which gets a short-lived one bound to its device instead (DBSC).",
    defaultText: 'off',
    example: { cookie: 'connect.sid' },
  },
)
