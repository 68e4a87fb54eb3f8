import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, type ConfigIssue } from '@postern/core'
import { configInCode } from '../src/file/config-file.ts'
import { checkConfig } from '../src/load/load-config.ts'
import { annotatedSchema, type SchemaNode } from '../src/table/json-schema.ts'

type Path = readonly (string | number)[]

/** A place of the table: a property, a value under a name of one's own, an item of a list. */
interface Place {
  readonly path: Path
  readonly kind: 'property' | 'named' | 'item'
}

/** Values of every kind that people write by mistake. */
const WRONG: readonly unknown[] = [
  true,
  -7,
  1e12,
  '',
  'no such thing',
  ['zz', { zz: 1 }],
  { zz: 1 },
  null,
  () => 1,
]

function places(): readonly Place[] {
  const found: Place[] = []
  const walk = (nodes: readonly SchemaNode[], path: Path): void => {
    const add = (part: string | number, kind: Place['kind'], inner: readonly SchemaNode[]): void => {
      found.push({ path: [...path, part], kind })
      walk(inner, [...path, part])
    }
    const all = nodes.flatMap(branches)
    const names = new Set(all.flatMap(node => Object.keys(node.properties ?? {})))
    for (const name of names)
      add(
        name,
        'property',
        all.flatMap((node): readonly SchemaNode[] =>
          node.properties?.[name] ? [node.properties[name]] : [],
        ),
      )
    const named = all.flatMap(({ additionalProperties: node }) => (typeof node === 'object' ? [node] : []))
    if (named.length > 0) add(path.at(-1) === 'routes' ? 'POST /orders' : 'some', 'named', named)
    const items = all.flatMap(({ items: node }): readonly SchemaNode[] => (node === undefined ? [] : [node]))
    if (items.length > 0) add(0, 'item', items)
  }
  walk([annotatedSchema()], [])
  return found
}

function branches(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf === undefined || node.form !== undefined ? [node] : node.anyOf.flatMap(branches)
}

function nested(path: Path, value: unknown): unknown {
  return path.reduceRight<unknown>(
    (inner, part) => (typeof part === 'number' ? [inner] : { [part]: inner }),
    value,
  )
}

function issuesOf(path: Path, value: unknown): readonly ConfigIssue[] {
  try {
    checkConfig(configInCode(nested(path, value) as object, '/'), {})
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.issues
  }
}

function placeOf(path: Path): string {
  return configInCode({}, '/').place(path)
}

/** Two neighbouring letters swapped, in the middle where people slip; a letter more in short names. */
function mistyped(name: string): string {
  for (let at = Math.min(2, name.length - 2); at > 0 && at + 1 < name.length; at++)
    if (name[at] !== name[at + 1])
      return `${name.slice(0, at)}${name[at + 1]}${name[at]}${name.slice(at + 2)}`
  return `${name}x`
}

interface Complaint {
  /** The place of the wrong value. */
  readonly at: string
  readonly issue: ConfigIssue
}

const PLACES = places()
/** What is said of every wrong value at every place. */
const COMPLAINTS: readonly Complaint[] = PLACES.flatMap(({ path }) =>
  WRONG.flatMap(value => issuesOf(path, value).map(issue => ({ at: placeOf(path), issue }))),
)

function said({ issue: { place, problem, hint } }: Complaint): string {
  return `${place}: ${problem} (${hint ?? 'no hint'})`
}

/** What is allowed: a form with an example, words to choose from, a range, or a function. */
const ALLOWED =
  /e\.g\. |each entry is |did you mean |such as |like "|https?:\/\/|must be .*"|must be [{\d]|must be (?:true or )?(?:true|false)|must be (?:at (?:least|most)|an? \w+ of)|known here: |"\w+"|add |write |set |must be .*\((?:TypeScript|.*=>)|\w+\(.*\)|function|letters|digits|characters|bytes/

describe('each key of the configuration', () => {
  test('is walked', () => assert.ok(PLACES.length > 400, String(PLACES.length)))

  test('refuses a value of another kind at its place, and says what is allowed', () => {
    const weak = COMPLAINTS.filter(
      ({ at, issue }) => issue.place.startsWith(at) && !ALLOWED.test(`${issue.problem} (${issue.hint})`),
    )
    assert.deepEqual(weak.map(said), [])
  })

  test('speaks plain English: what zod says by itself is never shown', () => {
    const weak = COMPLAINTS.filter(
      ({ issue: { problem, hint } }) =>
        /\b(?:Invalid|expected|received|undefined|NaN)\b/.test(`${problem} ${hint ?? ''}`) ||
        /must be at (?:least|most) \d+$/.test(problem) ||
        /"[^"]*" or "[^"]*" or/.test(problem),
    )
    assert.deepEqual(weak.map(said), [])
  })

  test('that has no value says that a key can be left out', () => {
    for (const { path } of PLACES) {
      const at = placeOf(path)
      const own = issuesOf(path, null).filter(({ place }) => place === at)
      for (const { problem, hint } of own)
        assert.match(hint ?? '', /remove the (?:key|entry)/, `${at}: ${problem} (${hint})`)
    }
  })

  test('has hints that work: {} switches on what is said to be switched on by it', () => {
    for (const { path } of PLACES) {
      const at = placeOf(path)
      if (!issuesOf(path, true).some(({ place, hint }) => place === at && hint?.startsWith('write {}')))
        continue
      assert.deepEqual(
        issuesOf(path, {}).filter(({ place }) => place.startsWith(at)),
        [],
        at,
      )
    }
  })

  test('is the nearest suggestion for its own name mistyped, and the only complaint at that place', () => {
    for (const { path, kind } of PLACES) {
      if (kind !== 'property') continue
      const name = String(path.at(-1))
      const typo = mistyped(name)
      const around = path.slice(0, -1)
      const issues = issuesOf([...around, typo], 1)
      const own = issues.find(({ place }) => place === placeOf([...around, typo]))
      assert.equal(own?.hint, `did you mean "${name}"?`, placeOf([...around, typo]))
      const others = issues.filter(
        ({ place, problem }) =>
          place === placeOf(around) || (place === placeOf(path) && problem.startsWith('is missing')),
      )
      assert.deepEqual(others, [], placeOf([...around, typo]))
    }
  })

  test('is not suggested in place of itself', () => {
    const weak = COMPLAINTS.filter(
      ({ issue: { problem, hint } }) =>
        hint === `did you mean "${/^unknown key "(.+)"$/.exec(problem)?.[1]}"?`,
    )
    assert.deepEqual(weak.map(said), [])
  })
})
