import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exchange } from '@postern/core'
import { clientCountry } from '../src/plan/client-country.ts'

const exchange = (said: string | undefined, trustsPeer = true): Exchange =>
  ({ trustsPeer, header: (name: string) => (name === 'cf-ipcountry' ? said : undefined) }) as Exchange

test('the country is what a trusted proxy says, and nobody else', () => {
  const countryOf = clientCountry('CF-IPCountry')
  assert.equal(countryOf(exchange('de')), 'DE')
  assert.equal(countryOf(exchange('DE', false)), '', 'a client that sets the header itself')
  for (const said of [undefined, '', 'XX', 'T1', 'DEU', 'D<', 'DE, FR', '=1'])
    assert.equal(countryOf(exchange(said)), '', String(said))
  assert.equal(clientCountry(undefined)(exchange('DE')), '')
})
