import { get, type IncomingMessage } from 'node:http'
import type { ConsoleServer } from '../../src/index.ts'
import type { SignedIn } from './ask.ts'

/** A live stream that somebody watches. */
export interface Watched {
  readonly status: number
  readonly response: IncomingMessage
  text(): string
  ended(): boolean
}

/** Opens the live stream. */
export function watch(server: ConsoleServer, headers: SignedIn): Promise<Watched> {
  return new Promise((resolve, reject) => {
    get(`${server.address}api/live`, { headers: { ...headers } }, response => {
      let text = ''
      let ended = false
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.once('close', () => {
        ended = true
      })
      response.on('error', () => undefined)
      resolve({ status: response.statusCode ?? 0, response, text: () => text, ended: () => ended })
    }).once('error', reject)
  })
}
