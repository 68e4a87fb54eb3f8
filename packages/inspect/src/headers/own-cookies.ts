import { isSessionName } from './session-fixation.ts'

/** Names that are remembered, and those that are not certain yet. */
const MOST_NAMES = 64
/** Clients that must have been given a cookie before its name counts as the backend's. */
const CLIENTS = 3
const NAME = /^\s{0,4}([^=;\s]{1,64})=/

/**
 * Names of session cookies that a backend sets, learned from what it answered to several clients: one client
 * that makes it answer with a name of its own choice teaches nothing. Bounded; of too many names, the
 * first count.
 */
export class OwnCookies {
  /** In lower case. */
  readonly names: Set<string> = new Set()
  readonly #clients = new Map<string, Set<string>>()

  /**
   * Takes a `Set-Cookie` field of an answer.
   * @param client whom it was sent to
   */
  learn(cookie: string, client: string): void {
    const name = NAME.exec(cookie)?.[1]?.toLowerCase()
    if (name === undefined || this.names.has(name) || !isSessionName(name)) return
    let clients = this.#clients.get(name)
    if (clients === undefined) {
      if (this.names.size + this.#clients.size >= MOST_NAMES) return
      clients = new Set()
      this.#clients.set(name, clients)
    }
    clients.add(client)
    if (clients.size < CLIENTS) return
    this.names.add(name)
    this.#clients.delete(name)
  }
}
