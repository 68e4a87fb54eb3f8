import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ALLOW, Engine } from '@postern/core'
import { TurnWork } from '../../src/pacing/turn-work.ts'
import { start, startBackend } from '../harness.ts'

interface Item {
  readonly client: string
  readonly n: number
}

const itemOf = (n: number, client = 'a'): Item => ({ client, n })
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('work of one turn is done in order, at its end; what is added meanwhile waits for the next', async () => {
  const done: number[] = []
  const work = new TurnWork<Item>(({ n }) => {
    done.push(n)
    if (n === 1) work.add(itemOf(3))
  })
  work.add(itemOf(1))
  work.add(itemOf(2))
  assert.deepEqual(done, [])
  await turn()
  assert.deepEqual(done, [1, 2])
  await turn()
  assert.deepEqual(done, [1, 2, 3])
})

test('each step is done with a whole group before the next one, and a crowd is taken in groups', async () => {
  const done: string[] = []
  const work = new TurnWork<Item>(
    ({ n }) => done.push(`a${n}`),
    ({ n }) => done.push(`b${n}`),
  )
  for (let n = 0; n < 40; n++) work.add(itemOf(n))
  await new Promise(resolve => setImmediate(resolve))
  const step = (name: string, from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => `${name}${from + i}`)
  assert.deepEqual(done, [
    ...step('a', 0, 32),
    ...step('b', 0, 32),
    ...step('a', 32, 40),
    ...step('b', 32, 40),
  ])
})

test('a thousand requests of one client in one turn keep nobody waiting: each turn does a part', async () => {
  const done: Item[] = []
  const work = new TurnWork<Item>(item => done.push(item))
  for (let n = 0; n < 1_000; n++) work.add(itemOf(n, 'crowd'))
  work.add(itemOf(1_000, 'other'))
  await turn()
  assert.ok(done.length < 100, `${done.length} in one turn`)
  assert.ok(done.some(({ client }) => client === 'other'))
  work.add(itemOf(1_001, 'later'))
  await turn()
  assert.ok(done.some(({ client }) => client === 'later'))
  assert.ok(done.length < 200, `${done.length} in two turns`)
  for (let i = 0; i < 30; i++) await turn()
  const crowd = done.filter(({ client }) => client === 'crowd').map(({ n }) => n)
  assert.deepEqual(
    crowd,
    Array.from({ length: 1_000 }, (_, i) => i),
    'each once, in order',
  )
})

test('of many requests that arrive together each is decided, answered and settled once', async t => {
  const decided: string[] = []
  const settled: string[] = []
  const engine = new Engine({
    guards: [
      {
        name: 'counting',
        failure: 'closed',
        decide: ({ path }) => {
          decided.push(path.canonical)
          return ALLOW
        },
        settle: ({ path }, { status }) => settled.push(`${path.canonical} ${status}`),
      },
    ],
  })
  const backend = await startBackend(t, (request, response) => response.end(request.url))
  const { port, gateway } = await start(t, backend.url, { engine })
  const paths = Array.from({ length: 14 }, (_, i) => `/${String.fromCharCode(97 + i)}`)
  const answers = await Promise.all(
    paths.map(async path => {
      let text = ''
      const socket = connect(port, '127.0.0.1').setEncoding('latin1')
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      for await (const piece of socket) text += piece
      return text.slice(text.indexOf('\r\n\r\n') + 4)
    }),
  )
  while (gateway.inFlight > 0) await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(answers.toSorted(), paths)
  assert.deepEqual(decided.toSorted(), paths)
  assert.deepEqual(
    settled.toSorted(),
    paths.map(path => `${path} 200`),
  )
})
