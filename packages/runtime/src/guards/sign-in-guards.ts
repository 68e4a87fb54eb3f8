import type { CompiledConfig } from '@postern/config'
import type { Event, Guard } from '@postern/core'
import { BoundSessions } from '@postern/identity/bind'
import { csrfGuard, securityHeaders } from '@postern/identity/headers'
import { LoginDefence } from '@postern/identity/login'
import type { Resources } from '../resources/resources.ts'

/** Guards around sign-in, by when they are asked. */
export interface SignInGuards {
  /** First of all: they see every answer. */
  readonly first: readonly Guard[]
  /** Before it is known who acts: they say which session the backend will see. */
  readonly beforeIdentify: readonly Guard[]
  /** Once everything about addresses and principals is decided. */
  readonly last: readonly Guard[]
}

/** None, in a replay. */
export const NO_SIGN_IN: SignInGuards = { first: [], beforeIdentify: [], last: [] }

/**
 * Security headers, bound sessions, requests of other sites, and login defence, as the configuration says.
 * @throws ConfigError for a part that cannot be put together
 */
export function signInGuards(
  config: CompiledConfig,
  resources: Resources,
  onEvent: (event: Event) => void,
): SignInGuards {
  const { login, csrf, headers, bind } = config
  const { clock, signIn } = resources
  const onError = (error: unknown): void => onEvent(failed(error, clock.now()))
  return {
    first: headers === false ? [] : [securityHeaders({ policy: headers, onEvent })],
    beforeIdentify:
      bind === undefined
        ? []
        : [
            new BoundSessions({
              ...bind,
              secret: signIn.secret,
              store: signIn.bound,
              clock,
              onEvent,
              onError,
            }),
          ],
    last: [
      ...(csrf === false ? [] : [csrfGuard({ ...csrf, secret: signIn.secret })]),
      ...(login === false
        ? []
        : [
            new LoginDefence({
              secret: signIn.secret,
              store: signIn.login,
              clock,
              obviousRoutes: login.obvious ? 'guard' : 'ignore',
              exempt: login.exempt,
              ...(!login.proofOfWork && { proofOfWork: 'off' as const }),
              ...(login.link !== undefined && { link: login.link }),
              ...(resources.identity !== undefined && { ownSignIn: '/.postern/sign-in' }),
              onEvent,
              onError,
            }),
          ]),
    ],
  }
}

function failed(error: unknown, time: number): Event {
  const problem = error instanceof Error ? error.message.slice(0, 500) : 'failed'
  return { type: 'login.trouble', time, actor: {}, data: { problem } }
}
