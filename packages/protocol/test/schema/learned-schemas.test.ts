import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Engine, RouteTable } from '@postern/core'
import { openSqlite, type SqliteDatabase } from '@postern/store'
import fc from 'fast-check'
import { addRoute, learnFields, newRoute, readRoute, writeRoute } from '../../src/schema/learned-route.ts'
import { LearnedSchemas } from '../../src/schema/learned-schemas.ts'
import { SchemaLearner } from '../../src/schema/schema-learner.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-learned-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = (): string => join(folder, `${files++}.db`)

const routes = new RouteTable({
  'GET /search': {},
  ...Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`GET /r${i}`, {}])),
})

function ask(learner: SchemaLearner, target: string): void {
  const engine = new Engine({ guards: [learner], routes })
  const exchange = engine.open({
    method: 'GET',
    target,
    headers: ['Host', 'h'],
    peer: '192.0.2.7',
    secure: false,
    httpVersion: '1.1',
    body: undefined,
    native: undefined,
  })
  assert.equal(engine.decide(exchange) instanceof Promise, false)
  engine.settle(exchange, { status: 200, duration: 1, bytes: 0, aborted: false })
}

interface Keeping {
  readonly learner: SchemaLearner
  readonly learned: LearnedSchemas
  readonly database: SqliteDatabase
}

function keeping(
  path: string,
  more: { readonly maxRoutes?: number; readonly maxParameters?: number } = {},
): Keeping {
  const database = openSqlite({ path, busyTimeout: '50ms' })
  const learner = new SchemaLearner()
  const learned = new LearnedSchemas({ database: () => database, learner, every: '1h', ...more })
  return { learner, learned, database }
}

describe('what was learned of parameters', () => {
  test('is there after a restart, and grows on', () => {
    const path = newFile()
    const before = keeping(path)
    for (let i = 0; i < 5; i++) ask(before.learner, `/search?page=${i}`)
    before.learned.close()
    before.database.close()

    const now = keeping(path)
    for (let i = 0; i < 5; i++) ask(now.learner, `/search?page=${i}&sort=up`)
    const schema = now.learned.propose(10)['GET /search']
    assert.equal(schema?.samples, 10)
    assert.deepEqual([schema?.query['page']?.required, schema?.query['sort']?.required], [true, false])
    now.learned.close()
    now.database.close()
  })

  test('is the sum of what several threads or processes learned on one file', () => {
    const path = newFile()
    const all = [keeping(path), keeping(path), keeping(path)]
    for (let round = 0; round < 3; round++)
      for (const { learner, learned } of all) {
        ask(learner, '/search?page=1')
        learned.save()
      }
    assert.equal(all[0]?.learned.propose(9)['GET /search']?.samples, 9)
    for (const { learned, database } of all) {
      learned.close()
      database.close()
    }
  })

  test('is not lost while the file cannot be written, and told to the operator', () => {
    const path = newFile()
    const { learner, learned, database } = keeping(path)
    ask(learner, '/search?page=1')
    learned.save()
    const other = openSqlite({ path })
    other.db.exec('BEGIN IMMEDIATE')
    ask(learner, '/search?page=2')
    assert.throws(() => learned.save(), /write lock/)
    assert.equal(learned.all().get('GET /search')?.samples, 2)
    other.db.exec('ROLLBACK')
    learned.save()
    assert.equal(learner.learned.size, 0)
    assert.equal(learned.all().get('GET /search')?.samples, 2)
    learned.close()
    other.close()
    database.close()
  })

  test('is bounded in routes and parameters, over restarts and processes too', () => {
    const path = newFile()
    for (const start of [0, 3, 6]) {
      const { learner, learned, database } = keeping(path, { maxRoutes: 4, maxParameters: 2 })
      for (let i = start; i < start + 3; i++) ask(learner, `/r${i}?a${start}=1`)
      ask(learner, `/r0?a${start}=1`)
      learned.close()
      database.close()
    }
    const { learned, database } = keeping(path, { maxRoutes: 4, maxParameters: 2 })
    const all = learned.all()
    assert.equal(all.size, 4)
    assert.deepEqual([...(all.get('GET /r0')?.query.keys() ?? [])], ['a0', 'a3'])
    assert.equal(learned.propose(1)['GET /r0']?.closed, false)
    learned.close()
    database.close()
  })

  test('holds no value, only names, types, shapes and lengths', () => {
    const path = newFile()
    const { learner, learned, database } = keeping(path)
    ask(learner, '/search?token=geheimnis-4711')
    learned.save()
    const text = String(database.db.prepare('SELECT learned FROM learned_route').get()?.['learned'])
    assert.match(text, /token/)
    assert.doesNotMatch(text, /geheimnis|4711/)
    learned.close()
    database.close()
  })

  test('can be forgotten for one route or all', () => {
    const { learner, learned, database } = keeping(newFile())
    for (const path of ['/r1', '/r2', '/r3']) ask(learner, path)
    learned.save()
    assert.equal(learned.forget('GET /r1'), 1)
    assert.equal(learned.forget('GET /r1'), 0)
    assert.equal(learned.forget(), 2)
    assert.equal(learned.all().size, 0)
    learned.close()
    database.close()
  })

  test('a damaged row is left out, and replaced by what is learned next', () => {
    const { learner, learned, database } = keeping(newFile())
    ask(learner, '/search?page=1')
    learned.save()
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '{"samples":-1}',
      '{"samples":1,"bodies":0,"isCut":false,"query":[["a"]],"body":[]}',
    ]) {
      database.db.prepare('UPDATE learned_route SET learned = ?').run(text)
      assert.equal(learned.all().size, 0, text)
    }
    ask(learner, '/search?page=1')
    assert.equal(learned.all().get('GET /search')?.samples, 1)
    learned.close()
    database.close()
  })

  const value = fc.oneof(
    fc.string(),
    fc.integer().map(String),
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.uuid(),
  )
  const request = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), value)
  const learn = (requests: readonly object[]) => {
    const route = newRoute()
    for (const one of requests) {
      route.samples++
      learnFields(route, 'query', new Map(Object.entries(one).map(([name, value]) => [name, [value]])), 200)
    }
    return route
  }
  /** Names and types come in the order in which they were met; that says nothing. */
  const told = (route: ReturnType<typeof newRoute>) => ({
    ...route,
    query: new Map(
      [...route.query]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, one]) => [name, { ...one, types: [...one.types].sort() }]),
    ),
  })

  test('comes out the same however requests were spread over threads, and in whatever order they added it', () => {
    fc.assert(
      fc.property(fc.array(request), fc.array(request), fc.array(request), (a, b, c) => {
        const forwards = newRoute()
        for (const part of [a, b, c]) addRoute(forwards, learn(part), 200)
        const backwards = newRoute()
        for (const part of [c, b, a]) addRoute(backwards, learn(part), 200)
        assert.deepEqual(told(forwards), told(learn([...a, ...b, ...c])))
        assert.deepEqual(told(backwards), told(forwards))
      }),
    )
  })

  test('comes back from text as it was written', () => {
    fc.assert(
      fc.property(fc.array(request), requests => {
        const route = learn(requests)
        const read = readRoute(writeRoute(route))
        assert.ok(read !== undefined)
        assert.deepEqual(told(read), told(route))
      }),
    )
  })
})
