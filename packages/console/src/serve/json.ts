import type { IncomingMessage, ServerResponse } from 'node:http'
import { sentObject } from '@postern/core'

/** Bytes; a configuration is the longest thing that is sent. */
const MAX_BODY_BYTES = 262_144

/** The JSON object of a body; undefined for anything else, and for more than 256 KiB. */
export function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>> | undefined> {
  return sentObject(request, MAX_BODY_BYTES)
}

/** Answers with what is wrong, in a sentence. */
export function problem(response: ServerResponse, status: number, error: string): void {
  send(response, status, { error })
}

/** Answers with JSON. */
export function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}
