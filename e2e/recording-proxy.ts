import { appendFileSync, writeFileSync } from 'node:fs'
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request of a recorded session, as a line of its file. */
interface RecordedRequest {
  readonly at: number
  readonly method: string
  readonly target: string
  readonly headers: readonly string[]
  readonly body?: string
  readonly status: number
}

/** Headers that detectors and guards look at. All others are left out, to keep recordings small. */
const KEPT: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'content-type',
  'depth',
  'destination',
  'if-modified-since',
  'if-none-match',
  'origin',
  'overwrite',
  'range',
  'referer',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'user-agent',
  'x-requested-with',
])
/** Bodies that are text and not longer are kept; of others the content does not matter here. */
const MAX_BODY = 600

/** A proxy that writes down what passes: to be put between a real client and a real server. */
export interface RecordingProxy {
  readonly url: string
  readonly port: number
  /** Requests so far. */
  count(): number
  close(): Promise<void>
}

/** @param file gets one JSON line for each request, in the order of their answers */
export async function startRecordingProxy(target: string, file: string): Promise<RecordingProxy> {
  const { hostname, port } = new URL(target)
  writeFileSync(file, '')
  let began = 0
  let count = 0
  const server = createServer((request, response) => {
    began ||= performance.now()
    const at = Math.round(performance.now() - began)
    const { method = 'GET', url = '/', rawHeaders } = request
    const parts: Buffer[] = []
    const onward = send(
      { host: hostname, port, method, path: url, headers: rawHeaders, setHost: false },
      answer => {
        const status = answer.statusCode ?? 0
        const text = textOf(Buffer.concat(parts))
        const recorded: RecordedRequest = {
          at,
          method,
          target: url,
          headers: keptHeaders(rawHeaders, `127.0.0.1:${(server.address() as AddressInfo).port}`),
          ...(text !== undefined && { body: text }),
          status,
        }
        count++
        appendFileSync(file, `${JSON.stringify(recorded)}\n`)
        response.writeHead(status, answer.rawHeaders)
        answer.pipe(response)
      },
    )
    onward.on('error', () => response.destroy())
    request.on('data', (chunk: Buffer) => parts.push(chunk)).pipe(onward)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const own = (server.address() as AddressInfo).port
  return {
    url: `http://127.0.0.1:${own}`,
    port: own,
    count: () => count,
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function keptHeaders(rawHeaders: readonly string[], host: string): readonly string[] {
  const kept: string[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i], rawHeaders[i + 1]]
    const lower = name.toLowerCase()
    if (KEPT.has(lower)) kept.push(name, value.replaceAll(host, 'shop.example'))
    // That there is one matters, not what it is.
    else if (lower === 'authorization') kept.push(name, `${value.split(' ', 1)[0]} cmVjb3JkZWQ`)
    else if (lower === 'cookie') kept.push(name, value.replace(/=[^;]*/g, '=recorded-0123456789'))
  }
  return kept
}

function textOf(bytes: Buffer): string | undefined {
  if (bytes.length === 0 || bytes.length > MAX_BODY) return undefined
  const text = bytes.toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) && !text.includes('\0') ? text : undefined
}
