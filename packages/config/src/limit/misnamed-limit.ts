import { ConfigError } from '@postern/core'
import { suggest } from '../words/suggest.ts'
import type { LimitSettings } from './named-limit.ts'

type Defaults = Readonly<Record<string, LimitSettings>>

/**
 * Refuses a limit whose name is a mistyped name of a default one: it would be a limit of its own beside the
 * default, which stays as it is. A near name of a limit that counts something else is left alone.
 * @throws ConfigError with the name that was meant
 */
export function checkLimitName(name: string, said: LimitSettings | false, defaults: Defaults): void {
  if (defaults[name] !== undefined) return
  const meant = suggest(name, Object.keys(defaults))
  if (said === false)
    throw new ConfigError({
      place: `.${name}`,
      problem: `there is no limit "${name}" that could be switched off`,
      hint:
        meant === undefined
          ? `the default limits are ${Object.keys(defaults).join(', ')}`
          : `did you mean "${meant}"?`,
    })
  const similar = meant === undefined ? undefined : defaults[meant]
  if (similar === undefined || !looksLike(said, similar)) return
  throw new ConfigError({
    place: `.${name}`,
    problem: `"${name}" would be a limit of its own beside the default limit "${meant}"`,
    hint: `did you mean "${meant}"? A limit of your own needs a name that is less like it`,
  })
}

/** Whether it counts what the default counts: same key, same kind of rule, routes where it has some. */
function looksLike(said: LimitSettings, similar: LimitSettings): boolean {
  return (
    (said.key === undefined || said.key.name === 'address') &&
    (said.limit === undefined || said.limit.kind === similar.limit?.kind) &&
    (said.routes === undefined || similar.routes !== undefined)
  )
}
