import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, test } from 'node:test'
import { ALLOW, type AnswerHead, Engine } from '@postern/core'
import { node } from '../../src/index.ts'

type Given = Readonly<Record<string, string | number | readonly string[]>>

const GIVEN: readonly Given[] = [
  { 'Content-Type': 'text/plain', 'X-Own': 'yes' },
  { 'content-length': 5, 'X-Own': 'yes' },
  { 'Set-Cookie': ['a=1', 'b=2'], 'x-own': 'yes' },
  { 'X-Own': 'no', 'x-own': 'yes' },
]

/** The lines of the head that a server sends, without the date. */
async function headOf(listener: RequestListener): Promise<readonly string[]> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  try {
    socket.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    return (answer.split('\r\n\r\n')[0] ?? '').split('\r\n').filter(line => !/^date:/i.test(line))
  } finally {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
}

function guarded(onAnswer: (head: AnswerHead) => void, listener: RequestListener): RequestListener {
  const guard = {
    name: 'test',
    failure: 'open',
    decide: () => ALLOW,
    onAnswer: (_: unknown, head: AnswerHead) => onAnswer(head),
  } as const
  return node(new Engine({ guards: [guard] }), listener)
}

describe('headers that a handler gives to `writeHead`', { timeout: 60_000 }, () => {
  for (const given of GIVEN) {
    const listener: RequestListener = (_request, response) =>
      void response.writeHead(200, given as Record<string, string>).end('hello')
    const name = JSON.stringify(given)

    test(`${name}: a guard that only reads sees them, and they are sent as they were given`, async () => {
      const seen: unknown[] = []
      const head = await headOf(
        guarded(answer => {
          seen.push(answer.get('X-OWN'), answer.getAll('set-cookie'), answer.get('x-absent'))
          answer.remove('X-Absent')
        }, listener),
      )
      assert.deepEqual(seen, ['yes', given['Set-Cookie'] ?? [], undefined])
      assert.deepEqual(head, await headOf(listener))
    })

    test(`${name}: a guard that changes one sees its change, and so does the client`, async () => {
      const seen: unknown[] = []
      const head = await headOf(
        guarded(answer => {
          answer.set('x-own', 'guard')
          answer.append('Set-Cookie', 'c=3')
          seen.push(answer.get('X-Own'), answer.getAll('set-cookie').at(-1))
        }, listener),
      )
      assert.deepEqual(seen, ['guard', 'c=3'])
      const lines = head.map(line => line.toLowerCase())
      assert.deepEqual(
        lines.filter(line => line.startsWith('x-own')),
        ['x-own: guard'],
      )
      assert.deepEqual(
        lines.filter(line => line.startsWith('set-cookie')),
        [...((given['Set-Cookie'] as readonly string[]) ?? []), 'c=3'].map(cookie => `set-cookie: ${cookie}`),
      )
      const kept = (await headOf(listener)).map(line => line.toLowerCase())
      for (const line of kept.filter(one => !/^(?:x-own|set-cookie)/.test(one)))
        assert.ok(lines.includes(line), `${line} in ${lines}`)
    })
  }
})
