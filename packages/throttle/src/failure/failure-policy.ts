import { ConfigError } from '@postern/core'

/**
 * What decides while the store does not answer in time: nobody (`open`), a 503 (`closed`), or this process by
 * itself with a share of each limit. What may be admitted then in any window, beyond the limit: anything;
 * nothing; or in all processes together their shares of the limit (at least one unit each).
 */
export type FailurePolicy = 'open' | 'closed' | { readonly local: number }

/**
 * Counting in each process while the store is away.
 * @throws ConfigError for a share that is not above 0 and at most 1
 */
export function local(options: { readonly share: number }): FailurePolicy {
  const { share } = options
  if (share > 0 && share <= 1) return { local: share }
  throw new ConfigError({
    place: 'onStoreFailure.share',
    problem: `${String(share).slice(0, 40)} is not above 0 and at most 1`,
    hint: 'one divided by the number of processes',
  })
}
