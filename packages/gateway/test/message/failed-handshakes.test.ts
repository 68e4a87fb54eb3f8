import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { FailedHandshakes } from '../../src/intake/failed-handshakes.ts'

function failure(code: string): Error {
  return Object.assign(new Error('SSL routines'), { code })
}

test('failed TLS handshakes are one event, then one for all of ten seconds, each with its cause', () => {
  const clock = new VirtualClock()
  const failed = new FailedHandshakes(clock)
  const first = failed.take(failure('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), '192.0.2.1')
  assert.deepEqual([first?.type, first?.actor], ['gateway.tls-failed', { address: '192.0.2.1' }])
  assert.match(String(first?.data?.['problem']), /does not trust the certificate/)
  assert.equal(first?.data?.['more'], undefined)
  for (let count = 0; count < 1_000; count++)
    assert.equal(failed.take(failure('ERR_SSL_NO_SHARED_CIPHER'), '192.0.2.2'), undefined)
  clock.advance(10_000)
  assert.equal(failed.take(failure('ECONNRESET'), '192.0.2.2'), undefined)
  const next = failed.take(failure('ERR_SSL_SOMETHING_ELSE'), undefined)
  assert.deepEqual(
    [next?.actor, next?.data],
    [{}, { problem: 'the handshake failed', code: 'ERR_SSL_SOMETHING_ELSE', more: 1_000 }],
  )
})
