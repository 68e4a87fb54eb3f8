import type { Draws } from './draws.ts'

/** Sessions in a query: return from a payment page, sockets, analytics, sign-out. */
export function addSessions({ pick, get, hex, b64u, host }: Draws): void {
  // session in query
  for (let i = 0; i < 150; i++)
    get(
      'session-query',
      pick([
        `/success?session_id=cs_live_${b64u(18)}`,
        `/result?sessionId=${hex(8)}&status=ok`,
        `/socket.io/?EIO=4&transport=polling&t=${b64u(5)}&sid=${b64u(15)}`,
        `/logout?iss=https%3A%2F%2F${host()}&sid=${hex(16)}`,
        `/collect?v=2&sid=${1.7e9 | 0}&sct=2&seg=1`,
        `/cart?session=${hex(4)}`,
        `/engine.io/?sid=${b64u(12)}`,
        `/w/?sess=${hex(6)}&auth_session=${hex(3)}`,
      ]),
      { Host: host(), Referer: `https://${host()}/x?y=1` },
    )
}
