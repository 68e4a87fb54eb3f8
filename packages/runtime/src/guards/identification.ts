import type { CompiledConfig, CompiledIdentifyMethods } from '@postern/config'
import {
  type Event,
  type Exchange,
  type Guard,
  type Identify,
  identifyGuard,
  type Principal,
} from '@postern/core'
import type { Revocations } from '@postern/identity'
import { dropCredential } from '@postern/identity/verify'
import { type RemediationGuardOptions, remediationGuard } from '@postern/remediate'
import type { Throttle } from '@postern/throttle'
import {
  type ConfiguredMethods,
  type IdentifyMethodsOptions,
  identifyMethods,
} from '../identity/identify-methods.ts'
import { isRevoked, revocationGuard } from '../identity/revocation-list.ts'
import type { Resources } from '../resources/resources.ts'

/** The guards around the moment at which a request gets its principal. */
export interface Identification {
  /**
   * Fills the principal, where a function of the configuration does; then everything that is decided about
   * principals.
   */
  readonly guards: readonly Guard[]
  /**
   * What is decided about principals, for an application that says later who acts; undefined when nothing
   * identifies.
   */
  readonly identified: readonly Guard[] | undefined
}

/**
 * What `identify` of a configuration asks for. Without it there is one stage, and every guard decides at
 * once.
 */
export function identification(
  {
    identify,
    remediations,
    trustProxies,
  }: Pick<CompiledConfig, 'identify' | 'remediations' | 'trustProxies'>,
  resources: Resources,
  limits: Throttle,
  remediationOptions: RemediationGuardOptions,
  onEvent: (event: Event) => void,
): Identification {
  const said = identify?.by
  const listed = typeof said === 'object' ? said : undefined
  const methods =
    listed === undefined
      ? undefined
      : methodsOf(listed, {
          lookUp: identify?.lookUp,
          trustProxies,
          connections: resources.connections,
          onEvent,
        })
  const own = typeof said === 'object' ? methods?.identify : said
  const by = identifier({ own, screen: methods?.screen, accepted: listed?.own }, resources)
  if (by === undefined) return { guards: [], identified: undefined }
  // Built-in identity alone fails closed: who cannot be told apart is refused, not taken for a stranger.
  const {
    by: _,
    lookUp: __,
    ...options
  } = identify ?? { by, lookUp: undefined, onFailure: 'refuse' as const }
  const identified: Guard[] = []
  if (identify?.by === 'application' && resources.revocations !== undefined)
    identified.push(revocationGuard(resources.revocations))
  if (remediations !== false)
    identified.push(remediationGuard(resources.remediations, { ...remediationOptions, actors: 'identified' }))
  identified.push(limits.identified)
  return {
    guards: by === 'application' ? [] : [identifyGuard(by, options), ...identified],
    identified,
  }
}

/**
 * Built-in identity says who acts; whom it does not know, the application's own function may, unless they
 * were revoked.
 */
function identifier(
  {
    own,
    screen,
    accepted,
  }: {
    readonly own: Identify | 'application' | undefined
    readonly screen: ConfiguredMethods['screen'] | undefined
    readonly accepted: readonly string[] | undefined
  },
  { identity, revocations }: Resources,
): Identify | 'application' | undefined {
  const checked = own === undefined || own === 'application' ? own : unrevoked(own, revocations)
  if (identity === undefined) return checked
  const builtIn: Identify = exchange => {
    screen?.(exchange)
    return identity.identify(exchange, accepted)
  }
  if (checked === undefined) return builtIn
  return async (exchange: Exchange) =>
    (await builtIn(exchange)) ?? (checked === 'application' ? undefined : await checked(exchange))
}

/** Methods of the configuration; undefined where all of them are built-in identity's. */
function methodsOf(
  { methods }: CompiledIdentifyMethods,
  options: Omit<IdentifyMethodsOptions, 'methods'>,
): ConfiguredMethods | undefined {
  return methods.length === 0 ? undefined : identifyMethods({ ...options, methods })
}

/**
 * Who was revoked is a stranger, to the backend too: the session or token does not get there, for the backend
 * may not know that it was revoked. Then they can still ask for the page that signs in.
 */
function unrevoked(identify: Identify, revocations: Revocations | undefined): Identify {
  if (revocations === undefined) return identify
  const unless = (exchange: Exchange, principal: Principal | undefined): Principal | undefined => {
    if (principal === undefined || principal === null || !isRevoked(revocations, principal)) return principal
    dropCredential(exchange, principal)
    return undefined
  }
  return exchange => {
    const said = identify(exchange)
    return said instanceof Promise ? said.then(late => unless(exchange, late)) : unless(exchange, said)
  }
}
