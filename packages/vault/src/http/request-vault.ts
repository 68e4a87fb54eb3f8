import type { IncomingMessage } from 'node:http'
import type { Row } from '../table/row-context.ts'
import type { Vault } from '../table/vault.ts'

/** Header in which a browser sends the capability that it signed. */
const HEADER = 'postern-capability'
/** Longest capability: what a holder reads too. */
const MAX_TEXT = 1_000_000

/** A vault on the authority of one request: what it opens is paid by the person who signed. */
export class RequestVault {
  readonly #vault: Vault
  /** As it came; holders verify it. Undefined when the request has none. */
  readonly capability: string | undefined

  constructor(vault: Vault, capability: string | undefined) {
    this.#vault = vault
    this.capability = capability
  }

  /** As `Vault.openRows`. Without a capability the service's own, small, budget pays. */
  openRows<T extends Row>(table: string, rows: readonly T[]): Promise<Record<string, unknown>[]> {
    const { capability } = this
    return this.#vault.openRows(table, rows, capability === undefined ? {} : { capability })
  }

  /** As `Vault.sealRows`. */
  sealRows<T extends Row>(table: string, rows: readonly T[]): Promise<Record<string, unknown>[]> {
    return this.#vault.sealRows(table, rows)
  }
}

/**
 * The vault for one request, of Express, NestJS on Express, or plain node.
 * @example
 * app.get('/customers/:id', async (request, response) => {
 *   const [row] = await requestVault(vault, request).openRows('customers', rows)
 *   response.json(row)
 * })
 */
export function requestVault(vault: Vault, request: Pick<IncomingMessage, 'headers'>): RequestVault {
  const given = request.headers[HEADER]
  const capability = typeof given === 'string' && given !== '' && given.length <= MAX_TEXT ? given : undefined
  return new RequestVault(vault, capability)
}
