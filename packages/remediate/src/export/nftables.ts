import { spawn } from 'node:child_process'
import { type Clock, ConfigError, type Duration, parseDuration, StoreError, systemClock } from '@postern/core'
import type { RemediationStore } from '../remediation-store.ts'
import { coveringNetworks } from './covering-networks.ts'
import { type ExportedStore, exportedRemediations } from './exported-remediations.ts'

/** The table that the sets are in. */
export interface NftablesOptions {
  /** Name of our table, in family `inet`. Default: `postern`. */
  readonly table?: string
}

const ELEMENTS_PER_LINE = 100

/**
 * An nftables script that puts the blocks in force into two named sets with timeouts, and drops what comes
 * from them. One transaction (`nft -f`): packets meet the old sets or the new ones, never a mix. It is
 * idempotent, and nothing outside its own table is touched.
 * @throws ConfigError when the table's name is invalid
 */
export function nftablesScript(store: ExportedStore, now: number, options: NftablesOptions = {}): string {
  const table = options.table ?? 'postern'
  if (!/^[a-z_][a-z0-9_]{0,30}$/.test(table))
    throw new ConfigError({
      place: 'nftables.table',
      problem: 'is not a valid table name',
      hint: 'lower-case letters, digits and "_"',
    })
  const networks = coveringNetworks(exportedRemediations(store), now)
  const elements = { blocked4: [] as string[], blocked6: [] as string[] }
  for (const [network, { expiresAt }] of networks) {
    const seconds = Math.max(1, Math.ceil((expiresAt - now) / 1_000))
    elements[network.includes(':') ? 'blocked6' : 'blocked4'].push(`${network} timeout ${seconds}s`)
  }
  const lines = [
    `add table inet ${table}`,
    `add set inet ${table} blocked4 { type ipv4_addr; flags interval, timeout; }`,
    `add set inet ${table} blocked6 { type ipv6_addr; flags interval, timeout; }`,
    `add chain inet ${table} early { type filter hook prerouting priority -150; policy accept; }`,
    `flush chain inet ${table} early`,
    `add rule inet ${table} early ip saddr @blocked4 counter drop`,
    `add rule inet ${table} early ip6 saddr @blocked6 counter drop`,
    `flush set inet ${table} blocked4`,
    `flush set inet ${table} blocked6`,
  ]
  for (const [set, list] of Object.entries(elements)) {
    for (let i = 0; i < list.length; i += ELEMENTS_PER_LINE)
      lines.push(`add element inet ${table} ${set} { ${list.slice(i, i + ELEMENTS_PER_LINE).join(', ')} }`)
  }
  return `${lines.join('\n')}\n`
}

/** The remediations that are followed, how `nft` is run, and who receives a failure. */
export interface NftablesFollowerOptions extends NftablesOptions {
  readonly store: RemediationStore
  /** Runs a script. Default: `runNft`. */
  readonly run?: (script: string) => Promise<void>
  /** Changes within this time go into one script. Default: 1 second. */
  readonly settle?: Duration
  readonly clock?: Clock
  readonly onError: (error: unknown) => void
}

/**
 * Keeps the sets in step with the store: once at the start, then after changes. The
 * kernel removes expired addresses itself.
 * @returns a function that stops it; the sets stay until their entries expire
 */
export function followWithNftables(options: NftablesFollowerOptions): () => Promise<void> {
  const { store } = options
  const run = options.run ?? runNft
  const clock = options.clock ?? systemClock
  const settle = parseDuration(options.settle ?? '1s', 'nftables.settle')
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  const apply = (): void => {
    timer = undefined
    running = running.then(() => run(nftablesScript(store, clock.now(), options))).catch(options.onError)
  }
  const stop = store.listen(change => {
    // The end of a network may bring back what it covered. The kernel removes the rest itself.
    const isNews = change.cause !== 'ended' || change.remediation.actor.kind === 'network'
    if (isNews) timer ??= setTimeout(apply, settle).unref()
  })
  apply()
  return async () => {
    stop()
    clearTimeout(timer)
    await running
  }
}

const RUN_LIMIT_MS = 30_000

/**
 * Runs a script with `nft -f -`, which needs the right to change the firewall (CAP_NET_ADMIN).
 * @param flags further flags: `-c` only checks
 * @throws StoreError with what nft said
 */
export function runNft(script: string, flags: readonly string[] = []): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (message: string, cause?: unknown): void =>
      reject(
        new StoreError(message, {
          store: 'nftables',
          retryable: true,
          ...(cause !== undefined && { cause }),
        }),
      )
    // Not the option `timeout`: where nft is missing, its timer would keep the process alive to its end.
    const limit = AbortSignal.timeout(RUN_LIMIT_MS)
    const child = spawn('nft', [...flags, '-f', '-'], {
      stdio: ['pipe', 'ignore', 'pipe'],
      signal: limit,
    })
    let said = ''
    child.stderr.on('data', (part: Buffer) => {
      if (said.length < 2_000) said += part.toString('utf8')
    })
    child.on('error', cause =>
      limit.aborted
        ? fail(`nft did not end within ${RUN_LIMIT_MS / 1_000} s`, cause)
        : fail('nft cannot be started; is nftables installed?', cause),
    )
    // nft may end before it has read everything; its exit status says why.
    child.stdin.on('error', () => {})
    child.on('close', code => {
      if (code === 0) resolve()
      else fail(`nft ended with ${code}: ${said.split('\n', 1)[0] ?? ''}`)
    })
    child.stdin.end(script)
  })
}
