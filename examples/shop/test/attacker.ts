import { ACCOUNTS } from '../src/seed.ts'
import { type RunningShop, type ShopOptions, startShop } from '../src/server.ts'

/** A client that keeps its cookie, as a person or an attacker would. */
export class Attacker {
  readonly #origin: string
  #cookie = ''

  constructor(origin: string) {
    this.#origin = origin
  }

  get cookie(): string {
    return this.#cookie
  }

  async get(
    path: string,
  ): Promise<{ readonly status: number; readonly text: string; readonly type: string }> {
    return this.#send(path, {})
  }

  async send(
    method: string,
    path: string,
    body: object = {},
  ): Promise<{ readonly status: number; readonly text: string; readonly type: string }> {
    return this.#send(path, {
      method,
      body: body instanceof FormData ? body : JSON.stringify(body),
      headers: body instanceof FormData ? {} : { 'content-type': 'application/json' },
    })
  }

  /** Signs in with one of the accounts that every shop has. */
  async signIn(account: (typeof ACCOUNTS)[number] = ACCOUNTS[0]): Promise<void> {
    const { status } = await this.send('POST', '/api/login', { email: account[0], password: account[1] })
    if (status !== 200) throw new Error(`signing in failed with ${status}`)
  }

  async #send(path: string, init: RequestInit): Promise<{ status: number; text: string; type: string }> {
    const answer = await fetch(`${this.#origin}${path}`, {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers, ...(this.#cookie !== '' && { cookie: this.#cookie }) },
    })
    const [cookie] = answer.headers.getSetCookie()
    if (cookie !== undefined) this.#cookie = cookie.split(';')[0] ?? ''
    return {
      status: answer.status,
      text: await answer.text(),
      type: answer.headers.get('content-type') ?? '',
    }
  }
}

/** A shop of its own and somebody in front of it; gone when the test is. */
export async function open(
  scope: { after(work: () => Promise<void>): void },
  options: Partial<ShopOptions> = {},
): Promise<{ readonly shop: RunningShop; readonly attacker: Attacker }> {
  const shop = await startShop({ port: 0, ...options })
  scope.after(() => shop.close())
  return { shop, attacker: new Attacker(shop.url) }
}
