// Compiled with the tests, never run: what the public contract of own code accepts, and what it does not.
import {
  ALLOW,
  type Decision,
  type Detector,
  defineConfig,
  type Guard,
  postern,
  setPrincipal,
} from '../src/index.ts'

const allowing: Guard = { name: 'allowing', failure: 'open', decide: () => ALLOW }
const waiting: Guard = { name: 'waiting', failure: 'closed', decide: async () => ALLOW }
const serving: Guard = {
  name: 'serving',
  failure: 'closed',
  decide: exchange => {
    exchange.setRequestHeader('cookie', undefined)
    exchange.setPrincipal({ kind: 'service', id: 'ci' })
    return { effect: 'allow', answer: { status: 200, headers: [], body: new Uint8Array() } }
  },
  onAnswer: (_exchange, head) => {
    head.append('Set-Cookie', head.get('x') ?? '')
    // @ts-expect-error the status is read, not written
    head.status = 500
  },
}
// @ts-expect-error a guard says what happens when it fails
const careless: Guard = { name: 'careless', decide: () => ALLOW }
// @ts-expect-error a guard returns a decision
const silent: Guard = { name: 'silent', failure: 'open', decide: () => undefined }
// @ts-expect-error a refusal has at least one reason
const unreasoned: Decision = { effect: 'deny', guard: 'x', status: 403, reasons: [] }
// @ts-expect-error a detector answers at once
const late: Detector = { name: 'late', observe: async () => undefined }

/** Every form in which an application can say who acts. */
export const forms: readonly unknown[] = [
  careless,
  silent,
  unreasoned,
  late,
  defineConfig({ identify: 'application' }),
  defineConfig({ identify: () => undefined, guards: [allowing, waiting, serving] }),
  defineConfig({ identify: async exchange => ({ kind: 'user', id: exchange.client, tenant: 'acme' }) }),
  defineConfig({ identify: { by: () => undefined, deadline: '200ms', onFailure: 'refuse' } }),
  // @ts-expect-error no such kind of principal
  defineConfig({ identify: () => ({ kind: 'robot', id: 'x' }) }),
  // @ts-expect-error no such policy
  defineConfig({ identify: { by: () => undefined, onFailure: 'open' } }),
  () => postern({ identify: () => undefined, onEvent: event => event.time, detectors: [] }),
  () => setPrincipal(new Request('http://a/'), { kind: 'user', id: 'ada' }),
  // @ts-expect-error a request is an object of the framework
  () => setPrincipal('id', { kind: 'user', id: 'ada' }),
]
