import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ALLOW, Engine } from '@postern/core'
import { TurnWork } from '../src/turn-work.ts'
import { start, startBackend } from './harness.ts'

test('work of one turn is done in order, at its end; what is added meanwhile waits for the next', async () => {
  const done: number[] = []
  const work = new TurnWork<number>(item => {
    done.push(item)
    if (item === 1) work.add(3)
  })
  work.add(1)
  work.add(2)
  assert.deepEqual(done, [])
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(done, [1, 2])
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(done, [1, 2, 3])
})

test('each step is done with a whole group before the next one, and a crowd is taken in groups', async () => {
  const done: string[] = []
  const work = new TurnWork<number>(
    item => done.push(`a${item}`),
    item => done.push(`b${item}`),
  )
  for (let item = 0; item < 40; item++) work.add(item)
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
