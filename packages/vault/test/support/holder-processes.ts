import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock, systemRandom } from '@postern/core'
import { SOURCE_FLAGS } from '../../../../test/source-flags.ts'
import { until } from '../../../../test/until.ts'
import { HolderStore } from '../../src/holder/holder-store.ts'
import { holderIdentity } from '../../src/holder/start-holder.ts'
import { unlockKey } from '../../src/holder/unlock.ts'
import { selfSignedIdentity, type TlsIdentity } from '../../src/primitive/certificate.ts'
import { generateSigningKey } from '../../src/primitive/ed25519.ts'
import { SocketLink } from '../../src/split/holder-link.ts'
import { HOLDERS, type HolderId } from '../../src/split/part.ts'

const ENTRY = fileURLToPath(new URL('holder-program.ts', import.meta.url))
const END_WITH_PARENT = new URL('end-with-parent.ts', import.meta.url).href
/**
 * Lets a stopped process go on once its standard input is closed, so that it can see that its parent is
 * gone.
 */
const CONTINUE = 'read line; kill -CONT "$1"'

/** Three holders as processes of their own, over TLS on loopback. They end with this process. */
export class HolderProcesses {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'vault-holders-'))
  readonly app: TlsIdentity = identity('app')
  readonly ports: Map<HolderId, number> = new Map()
  readonly fingerprints: Map<HolderId, string> = new Map()
  readonly #children = new Map<HolderId, ChildProcess>()
  readonly #watchers = new Set<ChildProcess>()
  readonly #settings: object
  readonly #entry: string

  private constructor(settings: object, entry: string) {
    this.#settings = settings
    this.#entry = entry
  }

  /**
   * @param settings keys of the configuration besides those of the place: `budgets`, `enrollers`, ...
   * @param entry the program of a holder
   */
  static async start(settings: object = {}, entry: string = ENTRY): Promise<HolderProcesses> {
    const holders = new HolderProcesses(settings, entry)
    for (const id of HOLDERS) {
      holders.ports.set(id, await freePort())
      await holders.initialise(id)
    }
    for (const id of HOLDERS) holders.configure(id)
    await Promise.all(HOLDERS.map(id => holders.spawn(id)))
    await holders.connected()
    await Promise.all(HOLDERS.map(id => holders.operate(id, { op: 'epoch.begin', epoch: 0 })))
    return holders
  }

  /** Makes the holder's file and learns its fingerprint. */
  async initialise(id: HolderId): Promise<void> {
    const key = join(this.folder, `key-${id}`)
    writeFileSync(key, Buffer.from(systemRandom.bytes(32)).toString('base64url'), { mode: 0o600 })
    const store = HolderStore.open(this.data(id))
    const kek = await unlockKey(store, { kind: 'file', path: key }, systemRandom)
    store.setSettings({ id: Uint8Array.of(id) })
    const tls = holderIdentity(store, id, kek, { clock: systemClock, random: systemRandom })
    this.fingerprints.set(id, tls.fingerprint)
    store.close()
  }

  data(id: HolderId): string {
    return join(this.folder, `holder-${id}.db`)
  }

  configure(id: HolderId): void {
    const peers = Object.fromEntries(
      HOLDERS.filter(peer => peer !== id).map(peer => [peer, this.address(peer)]),
    )
    const config = {
      id,
      data: this.data(id),
      operator: join(this.folder, `operator-${id}.sock`),
      tls: { host: '127.0.0.1', port: this.ports.get(id) },
      peers,
      services: {
        app: { fingerprint: this.app.fingerprint, seal: ['*'], open: ['*'], search: ['*'], harden: true },
      },
      ...this.#settings,
    }
    writeFileSync(join(this.folder, `holder-${id}.json`), JSON.stringify(config))
  }

  address(id: HolderId): { host: string; port: number; fingerprint: string } {
    return {
      host: '127.0.0.1',
      port: this.ports.get(id) ?? 0,
      fingerprint: this.fingerprints.get(id) ?? '',
    }
  }

  async spawn(id: HolderId): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        ...SOURCE_FLAGS,
        '--import',
        END_WITH_PARENT,
        this.#entry,
        join(this.folder, `holder-${id}.json`),
        '--key-file',
        join(this.folder, `key-${id}`),
      ],
      { stdio: ['pipe', 'ignore', 'pipe'] },
    )
    // A holder that is gone closes it.
    child.stdin?.on('error', () => {})
    this.#children.set(id, child)
    await new Promise<void>((resolve, reject) => {
      let text = ''
      child.stderr?.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (text.includes('ready')) resolve()
      })
      child.once('exit', code => reject(new Error(`holder ${id} ended with ${code}: ${text}`)))
    })
  }

  /** Waits until every holder sees both others. */
  async connected(): Promise<void> {
    await until(async () => {
      const states = await Promise.all(HOLDERS.map(id => this.operate(id, { op: 'status' })))
      return states.every(state => !JSON.stringify(state).includes('down'))
    })
  }

  /** Process ids of the holders. */
  get pids(): readonly number[] {
    return [...this.#children.values()].flatMap(({ pid }) => pid ?? [])
  }

  signal(id: HolderId, signal: NodeJS.Signals): void {
    const child = this.#children.get(id)
    if (signal === 'SIGSTOP' && child?.pid !== undefined)
      this.#watchers.add(
        spawn('sh', ['-c', CONTINUE, 'sh', `${child.pid}`], { stdio: ['pipe', 'ignore', 'ignore'] }),
      )
    child?.kill(signal)
  }

  async kill(id: HolderId): Promise<void> {
    const child = this.#children.get(id)
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  async operate(id: HolderId, body: object): Promise<unknown> {
    const link = new SocketLink(id, { unix: join(this.folder, `operator-${id}.sock`) })
    try {
      await until(() => link.isUp)
      return await link.request(body, 30_000)
    } finally {
      link.close()
    }
  }

  /** Links of the application, once connected. */
  async links(who: TlsIdentity = this.app): Promise<readonly SocketLink[]> {
    const links = HOLDERS.map(id => new SocketLink(id, this.address(id), { identity: who }))
    await until(() => links.every(({ isUp }) => isUp))
    return links
  }

  async stop(): Promise<void> {
    for (const watcher of this.#watchers) watcher.kill()
    this.#watchers.clear()
    for (const id of HOLDERS) {
      this.signal(id, 'SIGCONT')
      await this.kill(id)
    }
  }
}

export function identity(name: string): TlsIdentity {
  return selfSignedIdentity(name, generateSigningKey(), systemRandom, Date.now())
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
