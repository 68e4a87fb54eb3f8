import type { ConfigIssue, RouteSettings } from '@postern/core'
import type { ConfigPath } from '../file/config-file.ts'
import type { CompiledConfig } from '../table/table.ts'
import { suggest } from '../words/suggest.ts'

type Issue = Pick<ConfigIssue, 'problem' | 'hint'>

/**
 * What routes ask for and nothing in the configuration can answer: a policy without policies would let
 * everybody pass, an owner of a pattern without an id is never compared. Whether anybody is identified cannot
 * be said here: the application may pass `identify` in code, and commands read the file without it.
 */
export function idleSettings(
  config: CompiledConfig,
  place: (path: ConfigPath) => string,
): readonly ConfigIssue[] {
  return [...config.routes.guarded].flatMap(([pattern, settings]) =>
    Object.entries(idleOf(pattern, settings, config)).flatMap(([key, issue]) =>
      issue === undefined ? [] : [{ place: place(['routes', pattern, key]), ...issue }],
    ),
  )
}

function idleOf(
  pattern: string,
  { policy, owned, budget = [] }: RouteSettings,
  config: CompiledConfig,
): Readonly<Record<string, Issue | undefined>> {
  return {
    policy: policy === undefined || config.policies !== undefined ? undefined : noPolicies,
    owned: owned === undefined ? undefined : ownedWithoutId(pattern, owned),
    budget: unknownBudget([budget].flat(), Object.keys(config.budgets ?? {})),
  }
}

const noPolicies: Issue = {
  problem: 'no policies are configured that could decide it',
  hint: "add policies: a module that exports them as `policies`, or a '.cedar' file",
}

function ownedWithoutId(pattern: string, owned: NonNullable<RouteSettings['owned']>): Issue | undefined {
  const param = typeof owned === 'string' ? 'id' : (owned.param ?? 'id')
  if (pattern.split('/').includes(`:${param}`)) return undefined
  return {
    problem: `would have no effect: the pattern has no ":${param}" that names the record`,
    hint: `write the pattern as e.g. "/invoices/:${param}", or name its parameter: owned: { type: ..., param: ... }`,
  }
}

function unknownBudget(asked: readonly string[], defined: readonly string[]): Issue | undefined {
  const name = asked.find(one => !defined.includes(one))
  if (name === undefined) return undefined
  const meant = suggest(name, defined)
  const known =
    defined.length === 0
      ? 'define it under budgets, e.g. budgets: { "orders.delete": { rows: 50, window: "1h" } }'
      : `the budgets are ${defined.join(', ')}`
  return {
    problem: `there is no budget "${name.slice(0, 100)}"`,
    hint: meant === undefined ? known : `did you mean "${meant}"?`,
  }
}
