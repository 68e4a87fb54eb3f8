import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isServer } from '../src/is-server.ts'

describe('a command line', () => {
  for (const line of [
    'gateway --to http://127.0.0.1:3000',
    '--config gateway.yaml -d data gateway',
    'forward-auth --dialect nginx',
    'dev -- npm run dev',
    'audit serve --listen 127.0.0.1:9466',
    'audit --data /srv/log witness --log shop=key',
    'holder run holder.json',
  ])
    test(`starts a server: ${line}`, () => assert.equal(isServer(line.split(' ')), true))

  for (const line of [
    'explain gateway',
    'ban 192.0.2.7 --reason serve',
    '--config gateway schema',
    'audit verify',
    'holder init h1 1',
    '--version',
  ])
    test(`ends by itself: ${line}`, () => assert.equal(isServer(line.split(' ')), false))
})
