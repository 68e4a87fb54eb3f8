import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as access from '@postern/access'
import * as audit from '@postern/audit'
import { ConfigError } from '@postern/core'
import * as gateway from '@postern/gateway'
import * as identity from '@postern/identity'
import pg from 'pg'

/** What `process.env.NAME as string` is where NAME is not set. */
const unset = undefined as unknown as string
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const grant = {
  id: 'a',
  actor: 'user:kim',
  tenant: '',
  act: '',
  budgets: ['orders.delete'],
  rows: 1,
  expiresAt: 1,
}
const link = (id: string): string => id
const store = { get: () => {} }
const claims = { issuer: 'https://id.example', audience: 'orders', keys: { generation: 0, find: () => {} } }
const introspection = { url: 'https://id.example/introspect', clientId: 'shop', audience: 'orders' }
const claim = undefined as unknown as access.ClaimSigner

const CASES: Readonly<Record<string, readonly [place: string, use: () => unknown]>> = {
  'a claim key': ['claim key', () => access.claimSigner({ key: unset })],
  'a grant key': ['grant key', () => access.signBudgetGrant(grant, unset)],
  'a claim signer of a pool': ['guardPool.claim', () => access.guardPool(new pg.Pool(), { claim })],
  'a claim signer of Knex': ['guardKnexPool.claim', () => access.guardKnexPool({}, { claim })],
  'the secret of a webhook for approvals': [
    'approvals.webhook.secret',
    () => access.webhookChannel({ url: 'https://hooks.example', secret: unset, link }),
  ],
  'the address of a webhook for approvals': [
    'approvals.webhook.url',
    () => access.webhookChannel({ url: unset, secret: SECRET, link }),
  ],
  'the secret of a collector': [
    'sink.secret',
    () => new audit.WebhookSink({ url: 'https://siem.example', secret: unset }),
  ],
  'the address of a collector': ['sink.url', () => new audit.WebhookSink({ url: unset, secret: SECRET })],
  'the address of an anchor': ['anchor.url', () => audit.httpAnchor({ url: unset })],
  'the key of a gateway': [
    'signingKey',
    () => gateway.verifyIdentity('v1.a.b', { key: unset, requestId: 'a' }),
  ],
  'one of several keys of a gateway': [
    'signingKey',
    () => gateway.verifyIdentity('v1.a.b', { key: ['x'.repeat(32), unset], requestId: 'a' }),
  ],
  'the secret of express-session': [
    'identify.session.secret',
    () => identity.expressSession({ store, secret: unset } as never),
  ],
  'one of the secrets of express-session': [
    'identify.session.secret',
    () => identity.expressSession({ store, secret: ['keyboard cat', unset] } as never),
  ],
  'the secret of fastify-session': [
    'identify.session.secret',
    () => identity.fastifySession({ store, secret: unset } as never),
  ],
  'the secret of Auth.js': ['identify.session.secret', () => identity.authJs({ secret: unset })],
  'the address of better-auth': ['identify.session.url', () => identity.betterAuth({ url: unset })],
  'the domain of Auth0': ['identify.auth0', () => identity.auth0(unset, 'orders')],
  'the audience of Auth0': [
    'identify.jwt.audience',
    () => identity.jwtMethod(identity.auth0('example.eu.auth0.com', unset)),
  ],
  'the issuer of tokens': [
    'identify.jwt.issuer',
    () => identity.jwtMethod({ ...claims, issuer: unset } as never),
  ],
  'one of the audiences of tokens': [
    'identify.jwt.audience',
    () => identity.jwtMethod({ ...claims, audience: ['orders', unset] } as never),
  ],
  'the keys of tokens': [
    'identify.jwt.keys',
    () => identity.jwtMethod({ ...claims, keys: undefined } as never),
  ],
  'the secret of a client': [
    'identify.oauth.clientSecret',
    () => identity.introspectionMethod({ ...introspection, clientSecret: unset }),
  ],
}

for (const [what, [place, use]] of Object.entries(CASES))
  test(`${what} that an unset variable would have given is an error that names it`, () => {
    assert.throws(use, error => {
      assert.ok(error instanceof ConfigError, String(error))
      const [issue] = error.issues
      assert.equal(issue?.place, place)
      assert.ok((issue.hint ?? '') !== '', 'there is no hint')
      return true
    })
  })
