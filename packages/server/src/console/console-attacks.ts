import type { AttackName, AttackResult } from '@postern/console'

interface Attack {
  readonly times: number
  readonly path: string
  readonly form?: (attempt: number) => Readonly<Record<string, string>>
}

/**
 * The attacks of the first minute, on the routes of the example shop; any other backend never sees the
 * first two.
 */
const ATTACKS: Readonly<Record<AttackName, Attack>> = {
  'sql-injection': {
    times: 1,
    path: `/api/search?q=${encodeURIComponent("%' UNION SELECT id,email,password,role FROM customer-- ")}`,
  },
  'path-traversal': { times: 1, path: '/files/download?name=../../../../../../../../etc/passwd' },
  'password-guessing': {
    times: 8,
    path: '/login',
    form: attempt => ({ email: 'mallory@example.com', password: `guess${attempt}` }),
  },
}

const DEADLINE_MS = 10_000

/** Sends the attacks to a gateway from this machine. @param gateway where it listens */
export function attackOf(gateway: string): (name: AttackName) => Promise<AttackResult> {
  return async name => {
    const { times, path, form } = ATTACKS[name]
    const statuses: number[] = []
    const requests: string[] = []
    for (let attempt = 0; attempt < times; attempt++) {
      const response = await fetch(`${reachable(gateway)}${path}`, {
        ...(form !== undefined && { method: 'POST', body: new URLSearchParams(form(attempt)) }),
        headers: { 'User-Agent': 'postern-console', Accept: 'application/json' },
        redirect: 'manual',
        signal: AbortSignal.timeout(DEADLINE_MS),
      })
      await response.body?.cancel().catch(() => undefined)
      statuses.push(response.status)
      const id = response.headers.get('x-request-id')
      if (id !== null && response.status >= 400) requests.push(id)
    }
    return { sent: times, statuses, requests }
  }
}

/** A gateway on every address is on this machine too. */
function reachable(gateway: string): string {
  return gateway.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')
}
