import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { until } from '../../../test/until.ts'
import { eventRow } from '../src/api/event-row.ts'
import type { LiveListener } from '../src/api/live-feed.ts'
import { streamLive } from '../src/serve/stream-live.ts'
import { kept, request } from './support/events.ts'

test('a stream that nobody reads ends with its session, and gives its place to another page', async () => {
  let listener: LiveListener | undefined
  let isLive = true
  let given = 0
  const server = createServer((_request, response) =>
    streamLive(
      {
        listen: added => {
          listener = added
          return () => given++
        },
      },
      response,
      { session: { name: 'ann' }, isLive: () => isLive },
    ),
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(client, 'connect')
  client.pause()
  client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await until(() => listener !== undefined)
  const row = { ...eventRow(kept(request(1))), rule: 'x'.repeat(100_000) }
  // More than the system takes for somebody who does not read.
  for (let i = 0; i < 200; i++) {
    listener?.(Array(20).fill(row), {})
    await setImmediate()
  }
  isLive = false
  listener?.([row], {})
  await until(() => given === 1)
  client.destroy()
  server.close()
})
