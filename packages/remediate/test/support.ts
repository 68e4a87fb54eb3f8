import { Engine, type EngineOptions, type Exchange, type Remediation } from '@postern/core'
import type { RemediationStore } from '../src/remediation-store.ts'

/** An exchange as an engine opens it. */
export function exchangeFrom(
  peer: string,
  headers: readonly string[] = [],
  options: EngineOptions = {},
  method = 'GET',
  target = '/',
): Exchange {
  return new Engine(options).open({
    method,
    target,
    headers: ['Host', 'shop.example', ...headers],
    peer,
    secure: false,
    httpVersion: '1.1',
    body: undefined,
    native: undefined,
  })
}

/** Resolves with the next change of that kind. */
export function nextChange(store: RemediationStore, kind: 'added' | 'removed'): Promise<Remediation> {
  return new Promise(resolve => {
    const stop = store.listen(change => {
      if (change.kind !== kind) return
      stop()
      resolve(change.remediation)
    })
  })
}
