import { type ChildProcess, spawn } from 'node:child_process'
import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SocketLink } from '@postern/vault'
import { identity } from '../../packages/vault/test/support/holder-processes.ts'

/** Bytes of a record's request and of its plain value, as the pages of the benchmark have them. */
const REQUEST_BYTES = 60
const VALUE_BYTES = 32
const AAD = randomBytes(60)
const TIMEOUT_MS = 60_000
const OPTIONS = { encoding: 'latin1', authTagLength: 16 } as const

interface RawRecord {
  /** One character a byte: see `cipherMaterial`. */
  readonly key: string
  readonly nonce: Buffer
  readonly ciphertext: Buffer
  readonly tag: Buffer
}

/** Pads of an HMAC-SHA-512 with a message, and with an inner digest. */
const INNER = randomBytes(128 + 22)
const OUTER = randomBytes(128 + 64)

/**
 * What no design with three counting holders on this machine gets below: the bytes of a page to two of three
 * processes over TLS, there the same hashes, the same row in SQLite and the same bytes in a log, their
 * answers
 * back, and here an HMAC and AES-256-GCM for every record, with a key of its own. No code of Postern but its
 * sockets: nothing is parsed, counted, decided or compared.
 */
export class FloorPages {
  readonly #children: readonly ChildProcess[]
  readonly #links: readonly SocketLink[]
  readonly #request: object
  readonly #records: readonly RawRecord[]
  readonly #folders: readonly string[]
  #turn = 0

  private constructor(
    children: readonly ChildProcess[],
    links: readonly SocketLink[],
    folders: readonly string[],
    records: number,
  ) {
    this.#children = children
    this.#folders = folders
    this.#links = links
    this.#request = { op: 'open', items: randomBytes(records * REQUEST_BYTES).toString('base64url') }
    this.#records = Array.from({ length: records }, rawRecord)
  }

  /** Starts three processes. They end with this one. */
  static async start(records: number): Promise<FloorPages> {
    const entry = fileURLToPath(new URL('vault-floor-process.ts', import.meta.url))
    const children = [1, 2, 3].map(() =>
      spawn(
        process.execPath,
        ['--conditions=@postern/source', '--disable-warning=ExperimentalWarning', entry],
        {
          stdio: ['pipe', 'pipe', 'inherit'],
        },
      ),
    )
    const app = identity('app')
    const folders: string[] = []
    const links = await Promise.all(
      children.map(async (child, index) => {
        const line = await new Promise<string>((resolve, reject) => {
          child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()))
          child.once('exit', code => reject(new Error(`a process of the floor ended with ${code}`)))
        })
        const { port, fingerprint, folder } = JSON.parse(line) as Readonly<
          Record<'fingerprint' | 'folder', string>
        > & {
          readonly port: number
        }
        folders.push(folder)
        const address = { host: '127.0.0.1', port, fingerprint }
        return await new Promise<SocketLink>(resolve => {
          const link = new SocketLink(([1, 2, 3] as const)[index] ?? 1, address, {
            identity: app,
            onUp: () => resolve(link),
          })
        })
      }),
    )
    return new FloorPages(children, links, folders, records)
  }

  /**
   * One page.
   * @param rows as they were read from the database: the floor only has them read
   */
  async page(rows: readonly Readonly<Record<string, unknown>>[]): Promise<number> {
    const turn = this.#turn++
    await Promise.all([turn, turn + 1].map(at => this.#links[at % 3]?.request(this.#request, TIMEOUT_MS)))
    for (const { key, nonce, ciphertext, tag } of this.#records) {
      hash('sha512', INNER, 'binary')
      hash('sha512', OUTER, 'binary')
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, OPTIONS)
      decipher.setAAD(AAD)
      decipher.setAuthTag(tag)
      decipher.update(ciphertext)
      decipher.final()
    }
    return rows.length
  }

  /** Process ids of the three. */
  get pids(): readonly number[] {
    return this.#children.flatMap(({ pid }) => pid ?? [])
  }

  stop(): void {
    for (const link of this.#links) link.close()
    for (const child of this.#children) child.kill()
    for (const folder of this.#folders) rmSync(folder, { recursive: true })
  }
}

function rawRecord(): RawRecord {
  const key = randomBytes(32)
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(AAD)
  const ciphertext = cipher.update(randomBytes(VALUE_BYTES))
  cipher.final()
  return { key: key.toString('latin1'), nonce, ciphertext, tag: cipher.getAuthTag() }
}
