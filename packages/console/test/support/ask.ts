import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { ConsoleServer, Role } from '../../src/index.ts'

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly json: Readonly<Record<string, unknown>>
}

/** `fetch` sets Host and Origin by itself; an attacker's page does not ask for leave either. */
export function ask(
  url: string,
  options: {
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly body?: string
  } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      url,
      {
        method: options.method ?? 'GET',
        headers: { ...options.headers, 'Content-Length': Buffer.byteLength(options.body ?? '') },
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const json = text.startsWith('{') ? (JSON.parse(text) as Answer['json']) : {}
          resolve({ status: response.statusCode ?? 0, headers: response.headers, json })
        })
      },
    )
    sent.once('error', reject)
    sent.end(options.body)
  })
}

const JSON_TYPE = { 'Content-Type': 'application/json' }

/** Headers of somebody who is signed in, and may send JSON. */
export type SignedIn = Readonly<Record<'Cookie' | 'Console-Token' | 'Content-Type', string>>

/** Signs somebody in by a link. */
export async function signIn(
  server: ConsoleServer,
  name: string,
  roles?: readonly Role[],
): Promise<SignedIn> {
  const link = /#link=(.*)$/.exec(server.link(name, roles))?.[1] ?? ''
  const { headers, json } = await ask(`${server.address}api/session`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify({ link }),
  })
  return {
    ...JSON_TYPE,
    Cookie: headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '',
    'Console-Token': String(json['token']),
  }
}
