import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEvents } from '../page/src/lib/server-events.ts'

test('a live view that is left while it is being filled leaves no error that nobody caught', async t => {
  const uncaught: unknown[] = []
  const note = (error: unknown): void => void uncaught.push(error)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const left = new AbortController()
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: sender => left.signal.addEventListener('abort', () => sender.error(left.signal.reason)),
  })
  const ended = readEvents(body, () => {})
  left.abort()
  await new Promise(resolve => setTimeout(resolve, 20))
  assert.deepEqual(uncaught, [])
  await assert.rejects(ended, { name: 'AbortError' })
})

test('events arrive one by one, wherever their bytes are cut', async () => {
  const bytes = new TextEncoder().encode('event: rows\ndata: ["é"]\n\n: ping\n\nevent: missed\ndata: {}\n\n')
  for (let cut = 1; cut < bytes.length; cut++) {
    const events: string[] = []
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: sender => {
        sender.enqueue(bytes.slice(0, cut))
        sender.enqueue(bytes.slice(cut))
        sender.close()
      },
    })
    await readEvents(body, (event, data) => events.push(`${event} ${data}`))
    assert.deepEqual(events, ['rows ["é"]', 'missed {}'])
  }
})
