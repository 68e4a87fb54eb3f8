import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { ConfigError } from '@postern/core'
import { limit, postern } from '../src/index.ts'

describe('what is handed over to a framework without being called', () => {
  test('says in one line how the layer is mounted', async () => {
    const server = createServer((request, response) => {
      postern(request as object).catch((error: unknown) => response.end(String((error as Error).message)))
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const text = await answer.text()
    server.close()
    assert.equal(
      text,
      'postern(): was handed over without being called (app.use((await postern()).express()))',
    )
  })

  test('tells options of an adapter from a request', async () => {
    const layer = await postern({ config: { audit: false }, log: 'none' })
    const express = layer.express as (...given: readonly unknown[]) => unknown
    assert.throws(() => express({ mode: 'observe' }), /takes no options/)
    assert.throws(() => express({}, {}, () => {}), /without being called/)
    await layer.close()
  })
})

test('limit() without a window says what is missing', () => {
  const untyped = limit as (...given: readonly unknown[]) => unknown
  for (const given of [[], [100], [{ max: 100 }]])
    assert.throws(
      () => untyped(...given),
      (error: unknown) => error instanceof ConfigError,
    )
})
