import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { startAdmin } from '../src/admin/admin-server.ts'

describe('attacks on the admin listener', () => {
  test('a segment of requests for metrics does not have the page made a thousand times', async t => {
    let made = 0
    const admin = await startAdmin({
      listen: { host: '127.0.0.1', port: 0 },
      token: 'secret',
      health: () => [],
      metrics: () => {
        made++
        return 'x 1\n'.repeat(10_000)
      },
      commands: {},
    })
    t.after(() => admin.close())
    const socket = connect(Number(new URL(admin.address).port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.resume().end('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1_000))
    await once(socket, 'close')
    assert.ok(made <= 8, `made ${made} times`)
  })
})
