import type { ConfigIssue, RouteSettings } from '@postern/core'
import type { ConfigPath } from './config-file.ts'
import { suggest } from './suggest.ts'
import type { CompiledConfig } from './table.ts'

type Issue = Pick<ConfigIssue, 'problem' | 'hint'>

const IDENTIFY =
  "add identity: { origin: ... } or identify (a list of methods, a function, or in code identify: 'application')"

/**
 * What routes ask for and nothing in the configuration can answer: a policy without policies would let
 * everybody pass, an owner without a principal is never compared, a role without a principal refuses
 * everybody.
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
  { require: asked, approve, policy, owned, budget = [] }: RouteSettings,
  config: CompiledConfig,
): Readonly<Record<string, Issue | undefined>> {
  const knowsCallers = config.identify !== undefined || config.identity !== undefined
  const letsAnonymous = asked?.kind === undefined ? false : [asked.kind].flat().includes('anonymous')
  return {
    require: asked === undefined || knowsCallers || letsAnonymous ? undefined : nobody,
    approve: approve === undefined || knowsCallers ? undefined : nobody,
    policy: policy === undefined || config.policies !== undefined ? undefined : noPolicies,
    owned: owned === undefined ? undefined : knowsCallers ? ownedWithoutId(pattern, owned) : noOwner,
    budget: unknownBudget([budget].flat(), Object.keys(config.budgets ?? {})),
  }
}

const nobody: Issue = {
  problem: 'would refuse everybody: without identify nobody is signed in',
  hint: IDENTIFY,
}

const noOwner: Issue = {
  problem:
    'would have no effect: without identify nobody is signed in, and no record is compared with its owner',
  hint: IDENTIFY,
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
  const known = defined.length === 0 ? 'define it under budgets' : `the budgets are ${defined.join(', ')}`
  return {
    problem: `there is no budget "${name.slice(0, 100)}"`,
    hint: meant === undefined ? known : `did you mean "${meant}"?`,
  }
}
