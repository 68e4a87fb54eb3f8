import type { Adapter, KoaContextWithOIDC } from 'oidc-provider'
import type { OauthStore, ReplayedGrant } from './oauth-store.ts'

/**
 * How refresh tokens are replaced at each use. Two tabs that refresh at once, and a client whose answer was
 * lost, send one token twice. For a few seconds the same client gets the same answer again: the one token
 * that replaced the old one, and never a second one. So a thief who sends the old token in that time only
 * shares what its owner has, and whoever of the two refreshes later ends the grant (RFC 9700 section 4.14.2).
 */
export class RefreshRotation {
  readonly #store: OauthStore
  readonly #current: () => KoaContextWithOIDC | undefined
  readonly #onRepeat: (grant: ReplayedGrant, ctx: KoaContextWithOIDC) => void
  /** The token that an answer repeats, by its request. */
  readonly #repeats = new WeakMap<KoaContextWithOIDC, string>()

  /**
   * @param current the request that the server answers now
   * @param onRepeat called for each answer that is given again
   */
  constructor(
    store: OauthStore,
    current: () => KoaContextWithOIDC | undefined,
    onRepeat: (grant: ReplayedGrant, ctx: KoaContextWithOIDC) => void,
  ) {
    this.#store = store
    this.#current = current
    this.#onRepeat = onRepeat
  }

  /** The adapter of refresh tokens. */
  adapter(): Adapter {
    const base = this.#store.adapter('RefreshToken')
    return {
      ...base,
      find: async id => {
        const payload = await base.find(id)
        const ctx = this.#current()
        if (!payload || payload.consumed === undefined || ctx?.oidc?.route !== 'token') return payload
        const successor = await this.#store.successor(id)
        if (successor === undefined) return payload
        this.#repeats.set(ctx, successor)
        const { consumed: _, ...unused } = payload
        return unused
      },
      // With the token that replaces it, in one transaction: a crash between the two would end the grant.
      consume: async () => undefined,
      upsert: async (id, payload, expiresIn) => {
        const ctx = this.#current()
        const old = ctx?.oidc?.entities.RotatedRefreshToken?.jti
        if (ctx === undefined || old === undefined) return base.upsert(id, payload, expiresIn)
        const stands = await this.#store.rotate(old, { id, payload, expiresIn })
        if (stands !== id) this.#repeats.set(ctx, stands)
      },
    }
  }

  /** Whether a request gets a new refresh token: not where it is answered with the one that exists. */
  isNew(ctx: KoaContextWithOIDC): boolean {
    return !this.#repeats.has(ctx)
  }

  /** Puts the token that exists into an answer that is given again. */
  answered(ctx: KoaContextWithOIDC): void {
    const successor = this.#repeats.get(ctx)
    if (successor === undefined || !hasRefreshToken(ctx.body)) return
    ctx.body.refresh_token = successor
    const { accountId = '', clientId = '' } = ctx.oidc.entities.RefreshToken ?? {}
    this.#onRepeat({ accountId, clientId }, ctx)
  }
}

function hasRefreshToken(body: unknown): body is { refresh_token: string } {
  return typeof body === 'object' && body !== null && 'refresh_token' in body
}
