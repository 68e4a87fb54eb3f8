import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Event } from '@postern/core'
import { AcceptedCredentials } from '../src/accepted-credentials.ts'
import { FoundTargets } from '../src/found-targets.ts'

/** An answered request, as a worker hands it over. */
function answered(path: string, status: number, mark = 1, address = '203.0.113.7'): Event {
  return {
    type: 'http',
    time: 0,
    actor: { address },
    decision: 'allow',
    request: { id: '1', method: 'GET', host: 'a', path, query: '' },
    outcome: { status, duration: 1, bytes: 1, aborted: false },
    data: { credential: { kind: 'session', mark } },
  }
}

describe('a credential counts', () => {
  test('once the backend has answered with success, and not before', () => {
    const credentials = new AcceptedCredentials()
    assert.equal(credentials.of(answered('/a', 404)), undefined)
    assert.equal(credentials.of(answered('/b', 200)), 'session')
    assert.equal(credentials.of({ ...answered('/c', 200), data: {} }), undefined)
  })

  test('no longer when most of what it asks for is refused or missing, however often one page is asked for', () => {
    const credentials = new AcceptedCredentials()
    credentials.of(answered('/', 200))
    let accepted = 0
    for (let i = 0; i < 60; i++) {
      credentials.of(answered('/', 200))
      if (credentials.of(answered(`/missing-${i}`, 404)) !== undefined) accepted++
    }
    assert.equal(accepted, 11)
  })

  test('for a client that gets as many pages as it misses', () => {
    const credentials = new AcceptedCredentials()
    for (let i = 0; i < 400; i++) {
      assert.equal(credentials.of(answered(`/notes/${i}`, 200)), 'session')
      assert.equal(credentials.of(answered(`/avatars/${i}`, i % 2 === 0 ? 404 : 200)), 'session')
    }
  })

  test('for the client that sent it, and what Postern refused itself proves nothing', () => {
    const credentials = new AcceptedCredentials()
    credentials.of(answered('/a', 200))
    assert.equal(credentials.of(answered('/b', 404, 1, '198.51.100.1')), undefined)
    for (let i = 0; i < 50; i++) credentials.of({ ...answered(`/${i}`, 403), decision: 'deny' })
    assert.equal(credentials.of(answered('/c', 200)), 'session')
  })

  test('for nobody who makes up another for every few guesses', () => {
    const credentials = new AcceptedCredentials()
    const found = new FoundTargets(7)
    let excused = 0
    for (let guess = 0; guess < 3_000; guess++) {
      const mark = Math.floor(guess / 11) + 1
      const events = [answered(`/guess-${guess}`, 404, mark)]
      if (guess % 11 === 0) events.unshift(answered('/', 200, mark))
      for (const event of events) {
        const finds: unknown = found.of(event)
        const kind = credentials.of(event, finds === 'exhausted')
        if (event.outcome?.status === 404 && kind !== undefined) excused++
      }
    }
    assert.ok(excused < 300, `${excused} guesses are excused`)
  })
})
