import type { Clock } from '@postern/core'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { IdentityDatabase } from '../../database/identity-database.ts'
import { tokenHash } from '../../database/identity-secret.ts'

/** Seconds between two polls of a device, where the server says none (RFC 8628 section 3.2). */
const INTERVAL = 5
/** Milliseconds that a poll may come early: on its way one is held up more than the next. */
const SLACK = 1_000

/** `expires_at` is when the next poll may come, `payload` the interval in seconds. */
const SQL: Readonly<Record<'polled' | 'slower', string>> = {
  // One statement: of two instances that are asked at once, one lets the poll pass. $1 id, $2 now.
  polled: `INSERT INTO oauth_record (model, id, payload, expires_at)
    VALUES ('DevicePoll', $1, '${INTERVAL}', CAST($2 AS BIGINT) + ${INTERVAL * 1_000 - SLACK})
    ON CONFLICT (model, id) DO UPDATE
    SET expires_at = CAST($2 AS BIGINT) + CAST(oauth_record.payload AS INTEGER) * 1000 - ${SLACK}
    WHERE oauth_record.expires_at <= CAST($2 AS BIGINT)`,
  slower: `UPDATE oauth_record SET payload = CAST(CAST(payload AS INTEGER) + ${INTERVAL} AS TEXT),
    expires_at = CAST($2 AS BIGINT) + (CAST(payload AS INTEGER) + ${INTERVAL}) * 1000 - ${SLACK}
    WHERE model = 'DevicePoll' AND id = $1 AND CAST(payload AS INTEGER) < 3600`,
}

/**
 * How often devices ask whether somebody has allowed them. One that comes too early has to slow down: it has
 * five more seconds between its polls from then on (RFC 8628 section 3.5). What was allowed it gets all
 * the same.
 */
export class DevicePolls {
  readonly #database: IdentityDatabase
  readonly #clock: Clock

  constructor(parts: { readonly database: IdentityDatabase; readonly clock: Clock }) {
    this.#database = parts.database
    this.#clock = parts.clock
  }

  /** Makes of an answer that is pending one that asks to slow down, where the device came too early. */
  async answered({ oidc, body }: KoaContextWithOIDC): Promise<void> {
    const code = oidc?.route === 'token' ? oidc.params?.['device_code'] : undefined
    if (typeof code !== 'string' || !isPending(body) || !(await this.#isTooEarly(code))) return
    body.error = 'slow_down'
    body.error_description =
      'you are polling too quickly: wait 5 seconds longer between two polls from now on'
  }

  async #isTooEarly(code: string): Promise<boolean> {
    const values = [tokenHash(code), this.#clock.now()]
    if (await this.#database.batch([{ text: SQL.polled, values, expect: 1 }])) return false
    await this.#database.batch([{ text: SQL.slower, values }])
    return true
  }
}

function isPending(body: unknown): body is { error: string; error_description?: string } {
  return (
    typeof body === 'object' && body !== null && 'error' in body && body.error === 'authorization_pending'
  )
}
