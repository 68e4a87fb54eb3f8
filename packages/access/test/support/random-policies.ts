import {
  all,
  allow,
  always,
  any,
  attribute,
  type Condition,
  type Context,
  check,
  deny,
  eq,
  type FieldRef,
  gt,
  gte,
  hasRole,
  hasScope,
  isNull,
  lt,
  lte,
  type Membership,
  member,
  ne,
  not,
  now,
  oneOf,
  owns,
  type Policy,
  parent,
  principal,
  type ResourceType,
  resourceType,
} from '@postern/access'
import type { Principal } from '@postern/core'
import type { Random } from './random.ts'

export const folder: ResourceType<'id' | 'owner' | 'closed' | 'up' | 'team'> = resourceType('folder', {
  table: 'folders',
  fields: {
    id: 'integer',
    owner: { type: 'text', column: 'owner_id' },
    closed: 'boolean',
    up: { type: 'integer', column: 'parent_id' },
    team: 'text',
  },
})

type FileFields =
  | 'id'
  | 'owner'
  | 'status'
  | 'ref'
  | 'n'
  | 'm'
  | 'x'
  | 'flag'
  | 'at'
  | 'until'
  | 'folder'
  | 'team'

export const file: ResourceType<FileFields> = resourceType('file', {
  table: 'files',
  fields: {
    id: 'integer',
    owner: { type: 'text', column: 'owner "quoted"' },
    status: 'text',
    ref: 'uuid',
    n: 'integer',
    m: 'integer',
    x: 'number',
    flag: 'boolean',
    at: 'time',
    until: 'time',
    folder: { type: 'integer', column: 'folder_id' },
    team: 'text',
  },
})

export const TEAM_MEMBERS: Membership = { table: 'team_members', group: 'team', principal: 'user_id' }
export const PEOPLE: readonly string[] = ['ann', 'bob', 'Ann', "o'hara", 'ünï', '']
export const TEAMS: readonly string[] = ['red', 'blue', 'green']
const STATUSES = ['open', 'closed', '', 'it\'s "x" \\ %_', '\u{1f600}']
export const REFS: readonly string[] = [
  '00000000-0000-0000-0000-00000000000a',
  '6F9619FF-8B86-D011-B42D-00C04FC964FF',
]
const ROLES = [
  'admin',
  'clerk',
  'open',
  'red',
  '1',
  '9007199254740993',
  '1.5',
  'NaN',
  '1767225600000',
  '2026-01-01T00:00:00Z',
]
export const START: number = Date.UTC(2026, 0, 1)
const INTEGERS = [0, 1, -1, 2, 9_007_199_254_740_993n, 9_223_372_036_854_775_807n, 2_147_483_648]
const NUMBERS = [0, -0, 0.1, 1, 1.5, -2.25, 1e300, Number.POSITIVE_INFINITY]
const TIMES = [START - 1, START, START + 1, START + 86_400_000]

const f = file.fields

/** A row of the table, by field; `times` are PostgreSQL's microseconds. */
export function randomFile(random: Random, id: number): Record<string, unknown> {
  const maybe = <T>(value: T): T | null => (random.next() < 0.2 ? null : value)
  return {
    id,
    owner: maybe(random.pick(PEOPLE)),
    status: maybe(random.pick(STATUSES)),
    ref: maybe(random.pick(REFS).toLowerCase()),
    n: maybe(random.pick(INTEGERS)),
    m: maybe(random.pick(INTEGERS)),
    x: maybe(random.pick(NUMBERS)),
    flag: maybe(random.next() < 0.5),
    at: maybe(random.pick(TIMES)),
    until: maybe(random.pick(TIMES)),
    folder: maybe(1 + random.below(8)),
    team: maybe(random.pick(TEAMS)),
  }
}

export function randomFolder(random: Random, id: number): Record<string, unknown> {
  const maybe = <T>(value: T): T | null => (random.next() < 0.25 ? null : value)
  return {
    id,
    owner: maybe(random.pick(PEOPLE)),
    closed: maybe(random.next() < 0.5),
    up: maybe(1 + random.below(8)),
    team: maybe(random.pick(TEAMS)),
  }
}

export function randomPrincipal(random: Random): Principal {
  const id = random.pick([...PEOPLE, ...REFS, 'no\0body'])
  return {
    kind: id === '' ? 'anonymous' : random.pick(['user', 'service', 'apiKey']),
    id,
    ...(random.next() < 0.6 && { tenant: random.pick(['red', 'open', 'blue', '']) }),
    ...(random.next() < 0.7 && { roles: random.some(ROLES) }),
    ...(random.next() < 0.5 && { scopes: random.some(['files', 'open']) }),
    ...(random.next() < 0.5 && { authenticatedAt: random.pick(TIMES) }),
  }
}

export function randomContext(random: Random): Context {
  return {
    ...(random.next() < 0.8 && { time: random.pick(TIMES) }),
    ...(random.next() < 0.8 && {
      attributes: {
        level: random.pick<unknown>([...INTEGERS, Number.NaN, 'one', null]),
        share: random.pick<unknown>([...NUMBERS, Number.NaN, '1.5', undefined]),
      },
    }),
  }
}

/** One to six policies, at least one of which allows something. */
export function randomPolicies(random: Random): readonly Policy[] {
  return Array.from({ length: 1 + random.below(6) }, (_, index) => {
    const policy = index === 0 || random.next() < 0.7 ? allow : deny
    return policy(`policy ${index}`, {
      action: random.pick(['file.read', 'file.*', '*']),
      on: file,
      when: fileCondition(random, 3),
    })
  })
}

function fileCondition(random: Random, depth: number): Condition {
  return nested(random, depth, fileLeaf, inner => fileCondition(random, inner))
}

function nested(
  random: Random,
  depth: number,
  leaf: (random: Random, depth: number) => Condition,
  again: (depth: number) => Condition,
): Condition {
  if (depth === 0 || random.next() < 0.35) return leaf(random, depth)
  const parts = Array.from({ length: random.below(4) }, () => again(depth - 1))
  return random.pick([() => all(...parts), () => any(...parts), () => not(again(depth - 1))])()
}

const ORDERED = [eq, ne, lt, lte, gt, gte]

function fileLeaf(random: Random, depth: number): Condition {
  const compare = random.pick(ORDERED)
  const same = random.pick([eq, ne])
  return random.pick<() => Condition>([
    () => owns(f.owner),
    () => same(f.owner, random.pick(PEOPLE)),
    () => same(f.status, f.owner),
    () => same(f.team, principal.tenant),
    () => same(principal.tenant, f.team),
    () => same(f.ref, random.pick<string>(REFS)),
    () => same(f.ref, principal.id),
    () => oneOf(f.status, random.some(STATUSES)),
    () => oneOf(f.status, 'roles'),
    () => oneOf(f.team, 'scopes'),
    () => oneOf(f.ref, 'roles'),
    () => oneOf(f.n, 'roles'),
    () => oneOf(f.x, 'roles'),
    () => oneOf(f.at, 'roles'),
    () => oneOf(f.flag, 'roles'),
    () => oneOf(f.n, random.some(INTEGERS)),
    () => oneOf(f.at, random.some(TIMES)),
    () => compare(f.n, random.pick(INTEGERS)),
    () => compare(random.pick(INTEGERS), f.n),
    () => compare(f.n, f.m),
    () => compare(f.n, attribute('level')),
    () => compare(f.x, random.pick(NUMBERS)),
    () => compare(attribute('share'), f.x),
    () => compare(f.at, random.pick(TIMES)),
    () => compare(f.at, f.until),
    () => compare(f.at, now()),
    () => compare(now('1d'), f.until),
    () => compare(f.at, principal.authenticatedAt),
    () => compare(principal.authenticatedAt, now('1ms')),
    () => same(f.flag, random.next() < 0.5),
    () => isNull(random.pick<FieldRef>(Object.values(f))),
    () => hasRole(random.pick(ROLES)),
    () => hasScope('files'),
    () => eq(principal.kind, 'user'),
    () => always,
    () => check('named', caller => caller.id.startsWith('a')),
    () =>
      check('broken', () => {
        throw new Error('broken')
      }),
    () => member(f.team, TEAM_MEMBERS),
    () => parent(f.folder, folder, folderCondition(random, Math.max(0, depth - 1))),
    () => parent(f.folder, folder, folderCondition(random, 2)),
  ])()
}

function folderCondition(random: Random, depth: number): Condition {
  return nested(random, depth, folderLeaf, inner => folderCondition(random, inner))
}

function folderLeaf(random: Random, depth: number): Condition {
  const g = folder.fields
  return random.pick<() => Condition>([
    () => owns(g.owner),
    () => eq(g.closed, true),
    () => ne(g.closed, true),
    () => isNull(g.up),
    () => hasRole('admin'),
    () => member(g.team, TEAM_MEMBERS),
    () => (depth === 0 ? owns(g.owner) : parent(g.up, folder, folderCondition(random, depth - 1))),
  ])()
}
