// One decision, at 10, 100 and 1,000 equal policies: ours against CASL, casbin,
// Cedar and a function written by hand.
import { createMongoAbility, defineAbility, subject } from '@casl/ability'
import { type EntityJson, preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import {
  all,
  allow,
  principal as caller,
  definePolicies,
  deny,
  eq,
  hasRole,
  owns,
  resourceType,
} from '@postern/access'
import type { Principal } from '@postern/core'
import { type Enforcer, newEnforcer, newModelFromString } from 'casbin'
import { type Candidate, interleave, isQuick, printTimings, quantile, report } from './support/harness.ts'

const SIZES = [10, 100, 1_000]
/** Policies of each type of resource. */
const OF_A_TYPE = 5
const ROUNDS = isQuick ? 3 : 15
/** Questions asked in turn; their answers are checked once against those of the function written by hand. */
const QUESTIONS = 64
const OPERATIONS: Readonly<Record<string, number>> = { cedar: 64, casbin: 640 }
const LATENCIES = 20_000

interface Document {
  readonly owner: string
  readonly tenant: string
  readonly status: string
}

interface Question {
  readonly principal: Principal
  readonly action: string
  readonly type: string
  readonly document: Document
}

interface Engine {
  readonly name: string
  decide(question: Question): boolean
}

const CALLERS: readonly Principal[] = [
  { kind: 'user', id: 'ann', tenant: 'north', roles: [] },
  { kind: 'user', id: 'bob', tenant: 'south', roles: ['clerk'] },
  { kind: 'user', id: 'cat', tenant: 'north', roles: ['clerk', 'manager'] },
  { kind: 'user', id: 'dan', tenant: 'west', roles: ['auditor'] },
]

function questions(types: number): readonly Question[] {
  return Array.from({ length: QUESTIONS }, (_, i) => ({
    principal: CALLERS[i % CALLERS.length] as Principal,
    action: i % 3 === 0 ? 'edit' : 'read',
    type: `T${(i * 7) % types}`,
    document: {
      owner: ['ann', 'bob', 'cat', 'eve'][(i >> 1) % 4] as string,
      tenant: ['north', 'south'][(i >> 2) % 2] as string,
      status: ['open', 'closed'][(i >> 3) % 2] as string,
    },
  }))
}

/** The five rules of every type, as someone would write them who needs no engine. */
function byHand(types: number): Engine {
  const rule = ({ principal: { id, tenant, roles }, action, document }: Question): boolean => {
    if (action === 'edit' && document.status === 'closed') return false
    if (document.owner === id) return true
    if (roles?.includes('manager') === true) return true
    if (action !== 'read') return false
    return (roles?.includes('clerk') === true && document.status === 'open') || document.tenant === tenant
  }
  const rules = new Map(Array.from({ length: types }, (_, i) => [`T${i}`, rule]))
  return { name: 'by-hand', decide: question => rules.get(question.type)?.(question) ?? false }
}

function ours(types: number): Engine {
  const policies = definePolicies(
    Array.from({ length: types }, (_, i) => {
      const type = resourceType(`T${i}`, {
        fields: { id: 'text', owner: 'text', tenant: 'text', status: 'text' },
      })
      const { owner, tenant, status } = type.fields
      return [
        allow(`owners of ${i}`, { action: ['read', 'edit'], on: type, when: owns(owner) }),
        allow(`clerks of ${i}`, {
          action: 'read',
          on: type,
          when: all(hasRole('clerk'), eq(status, 'open')),
        }),
        allow(`managers of ${i}`, { action: ['read', 'edit'], on: type, when: hasRole('manager') }),
        allow(`tenants of ${i}`, { action: 'read', on: type, when: eq(tenant, caller.tenant) }),
        deny(`closed ${i}`, { action: 'edit', on: type, when: eq(status, 'closed') }),
      ]
    }).flat(),
  )
  return {
    name: 'postern',
    decide: ({ principal, action, type, document }) =>
      policies.decide(principal, action, { type, fields: document }).allowed,
  }
}

/** CASL keeps an ability for each caller, made once; its questions take the type from the object. */
function casl(types: number): Engine {
  const abilities = new Map(
    CALLERS.map(({ id, tenant, roles }) => [
      id,
      defineAbility((can, cannot) => {
        for (let i = 0; i < types; i++) {
          can(['read', 'edit'], `T${i}`, { owner: id })
          if (roles?.includes('clerk') === true) can('read', `T${i}`, { status: 'open' })
          if (roles?.includes('manager') === true) can(['read', 'edit'], `T${i}`)
          can('read', `T${i}`, { tenant: tenant ?? '' })
          cannot('edit', `T${i}`, { status: 'closed' })
        }
      }),
    ]),
  )
  /** Made once for each document, as an application would mark what it has loaded. */
  const subjects = new Map<Document, ReturnType<typeof subject<string, { [K in keyof Document]: string }>>>()
  const subjectOf = ({ type, document }: Question) => {
    const made = subjects.get(document) ?? subject(type, { ...document })
    subjects.set(document, made)
    return made
  }
  return {
    name: 'casl',
    decide: question =>
      (abilities.get(question.principal.id) ?? createMongoAbility()).can(
        question.action,
        subjectOf(question),
      ),
  }
}

const MODEL = `
[request_definition]
r = sub, act, type, doc
[policy_definition]
p = type, act, rule, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.type == p.type && (p.act == "*" || r.act == p.act) && eval(p.rule)`

async function casbin(types: number): Promise<Engine> {
  const enforcer: Enforcer = await newEnforcer(newModelFromString(MODEL))
  await enforcer.addPolicies(
    Array.from({ length: types }, (_, i) => [
      [`T${i}`, '*', 'r.doc.owner == r.sub.id', 'allow'],
      [`T${i}`, 'read', 'r.sub.clerk && r.doc.status == "open"', 'allow'],
      [`T${i}`, '*', 'r.sub.manager', 'allow'],
      [`T${i}`, 'read', 'r.doc.tenant == r.sub.tenant', 'allow'],
      [`T${i}`, 'edit', 'r.doc.status == "closed"', 'deny'],
    ]).flat(),
  )
  const subjects = new Map(
    CALLERS.map(({ id, tenant, roles }) => [
      id,
      { id, tenant, clerk: roles?.includes('clerk') === true, manager: roles?.includes('manager') === true },
    ]),
  )
  return {
    name: 'casbin',
    decide: ({ principal, action, type, document }) =>
      enforcer.enforceSync(subjects.get(principal.id), action, type, document),
  }
}

function cedar(types: number): Engine {
  const id = `bench-${types}`
  const text = Array.from(
    { length: types },
    (_, i) => `
permit(principal, action in [Action::"read", Action::"edit"], resource is T${i}) when { resource.owner == principal.name };
permit(principal in Role::"clerk", action == Action::"read", resource is T${i}) when { resource.status == "open" };
permit(principal in Role::"manager", action in [Action::"read", Action::"edit"], resource is T${i});
permit(principal, action == Action::"read", resource is T${i}) when { resource.tenant == principal.tenant };
forbid(principal, action == Action::"edit", resource is T${i}) when { resource.status == "closed" };`,
  ).join('\n')
  const parsed = preparsePolicySet(id, { staticPolicies: text })
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed))
  return {
    name: 'cedar',
    decide: ({ principal, action, type, document }) => {
      const entities: EntityJson[] = [
        {
          uid: { type: 'User', id: principal.id },
          attrs: { name: principal.id, tenant: principal.tenant ?? '' },
          parents: (principal.roles ?? []).map(role => ({ type: 'Role', id: role })),
        },
        { uid: { type, id: '1' }, attrs: { ...document }, parents: [] },
      ]
      const answer = statefulIsAuthorized({
        principal: { type: 'User', id: principal.id },
        action: { type: 'Action', id: action },
        resource: { type, id: '1' },
        context: {},
        entities,
        preparsedPolicySetId: id,
      })
      if (answer.type !== 'success') throw new Error(JSON.stringify(answer))
      return answer.response.decision === 'allow'
    },
  }
}

function candidate({ name, decide }: Engine, asked: readonly Question[]): Candidate {
  const operations = OPERATIONS[name] ?? 64_000
  return {
    name,
    operations,
    run: () => {
      let allowed = 0
      for (let i = 0; i < operations; i++) if (decide(asked[i % QUESTIONS] as Question)) allowed++
      if (allowed === 0 || allowed === operations) throw new Error(`${name} says the same to everybody`)
    },
  }
}

/** Microseconds of single decisions, the clock's own reading included. */
function latencies({ decide }: Engine, asked: readonly Question[]): readonly number[] {
  return Array.from({ length: LATENCIES }, (_, i) => {
    const started = process.hrtime.bigint()
    decide(asked[i % QUESTIONS] as Question)
    return Number(process.hrtime.bigint() - started) / 1_000
  })
}

const figures: Record<string, number> = {}
const ratios: Record<string, number> = {}
for (const size of SIZES) {
  const types = size / OF_A_TYPE
  const asked = questions(types)
  const hand = byHand(types)
  const engines = [ours(types), hand, casl(types), await casbin(types), cedar(types)]
  for (const engine of engines)
    for (const [index, question] of asked.entries())
      if (engine.decide(question) !== hand.decide(question))
        throw new Error(`${engine.name} answers question ${index} of ${size} policies otherwise`)
  const timings = await interleave(
    engines.map(engine => candidate(engine, asked)),
    ROUNDS,
  )
  printTimings(`${size} policies`, timings)
  const own = timings.find(({ name }) => name === 'postern')?.median ?? Number.NaN
  for (const { name, median } of timings) {
    figures[`${name}_${size}_ns`] = Math.round(median)
    if (name !== 'postern') ratios[`postern_to_${name}_${size}`] = own / median
  }
  const single = latencies(engines[0] as Engine, asked)
  figures[`postern_${size}_p50_us`] = quantile(single, 0.5)
  figures[`postern_${size}_p99_us`] = quantile(single, 0.99)
}
/** Every policy on one action of one type, each for a role of its own: no index by type helps. */
const crowded = definePolicies(
  Array.from({ length: 1_000 }, (_, i) => allow(`role ${i}`, { action: 'read', when: hasRole(`role-${i}`) })),
)
const crowd: Engine = {
  name: 'one type',
  decide: ({ principal, type }) => crowded.decide(principal, 'read', { type }).allowed,
}
figures['postern_1000_of_one_type_p99_us'] = quantile(
  latencies(
    crowd,
    questions(1).map((question, i) => ({
      ...question,
      principal: { kind: 'user', id: 'a', roles: [`role-${i * 15}`] },
    })),
  ),
  0.99,
)
report({
  bench: 'access-policy',
  ratios,
  figures,
  unequal: [
    'CASL is given an ability for each caller, built beforehand: building one is not timed, nor is keeping one for each caller counted',
    'casbin walks all policies for every question: it has no index by type; its rules are evaluated as expressions',
    'Cedar is given its policies parsed beforehand, and only the two entities of the question; they are marshalled into WebAssembly on every call',
    'ours, alone, also says which policy decided',
  ],
})
