// Guessing simulated, a day at a time: how many guesses at one account are looked at, whether its owner
// gets in, and how soon spraying shows.
import { DEFAULT_LANES } from '@postern/identity/login'
import { FailureWatch } from '../packages/identity/src/login-defence/failure-watch.ts'
import { failed, succeeded } from '../packages/identity/src/login-defence/lane-outcome.ts'
import { type Client, enter } from '../packages/identity/src/login-defence/lanes.ts'
import { openLink, requestLink } from '../packages/identity/src/login-defence/link.ts'
import { type LoginRecord, NO_RECORD } from '../packages/identity/src/login-defence/login-record.ts'
import { isQuick, report } from './support/harness.ts'
import {
  betterAuthDefault,
  flexibleSample,
  keycloakPolicy,
  type LoginPolicy,
} from './support/login-policies.ts'

const SEEDS = Number(process.env['LOGIN_SIMULATION_SEEDS'] ?? (isQuick ? 2 : 20))
const ADDRESSES = 10_000
const ACCOUNTS = 100_000
const DAY = 86_400_000
const OWNER_EVERY = 300_000
const START = Date.UTC(2026, 0, 1)

/** Mulberry32: small, fast, and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = (seed * 0x9e3779b9) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Day {
  readonly offered: number
  readonly checked: number
  readonly owner: Readonly<Record<'device' | 'network' | 'link', number>>
  readonly tries: number
}

/** Guesses a second of a seed: the ends of the range first, then log-uniform between them. */
function rateOf(seed: number, random: () => number): number {
  if (seed === 0) return 0.5
  if (seed === 1) return 50
  return 0.5 * 100 ** random()
}

/** Calls `guess` at random times (Poisson) and `owner` every five minutes, in order. */
function runDay(
  random: () => number,
  rate: number,
  guess: (now: number) => void,
  owner: (now: number) => void,
): void {
  let nextOwner = START + OWNER_EVERY
  for (let now = START; ; ) {
    now += (-Math.log(1 - random()) / rate) * 1_000
    for (; nextOwner <= Math.min(now, START + DAY - 1); nextOwner += OWNER_EVERY) owner(nextOwner)
    if (now >= START + DAY) return
    guess(now)
  }
}

const clients: readonly Client[] = Array.from({ length: ADDRESSES }, (_, i) => ({
  device: undefined,
  network: `n${i >> 1}`,
  address: `a${i}`,
  spelling: 'ann',
}))

function ourDay(random: () => number, rate: number): Day {
  const home: Client = { device: 'laptop', network: 'home', address: 'home', spelling: 'ann' }
  let record = succeeded(
    NO_RECORD,
    { client: home, lane: 'unknown', device: 'laptop' },
    DEFAULT_LANES,
    START - DAY,
  )
  let offered = 0
  let checked = 0
  let tries = 0
  const owner = { device: 0, network: 0, link: 0 }
  const tryOnce = (client: Client, now: number): boolean => {
    const entry = enter(record, client, DEFAULT_LANES, now)
    if (entry.kind === 'checked') record = failed(entry.record, { client, lane: entry.lane }, now)
    return entry.kind === 'checked'
  }
  runDay(
    random,
    rate,
    now => {
      offered++
      if (tryOnce(clients[Math.floor(random() * ADDRESSES)] as Client, now)) checked++
    },
    now => {
      tries++
      // On the laptop the owner really signs in, every tenth time after a mistyped password.
      if (random() < 0.1) tryOnce(home, now)
      const entry = enter(record, home, DEFAULT_LANES, now)
      if (entry.kind === 'checked') {
        owner.device++
        record = succeeded(
          entry.record,
          { client: home, lane: entry.lane, device: 'laptop' },
          DEFAULT_LANES,
          now,
        )
      }
      // From a new phone at home, and from abroad through the link: what if.
      if (enter(record, { ...home, device: undefined }, DEFAULT_LANES, now).kind === 'checked')
        owner.network++
      if (throughLink(record, now)) owner.link++
    },
  )
  return { offered, checked, owner, tries }
}

function throughLink(record: LoginRecord, now: number): boolean {
  const asked = requestLink(record, { digest: 'digest', spelling: 'ann' }, DEFAULT_LANES, now)
  const withLink = asked.kind === 'mail' ? asked.record : record
  const digest = withLink.links[0]?.digest ?? ''
  const opened = openLink(withLink, digest, 'hotel', now + 60_000)
  const abroad: Client = { device: 'hotel', network: 'abroad', address: 'abroad', spelling: 'ann' }
  return opened !== undefined && enter(opened, abroad, DEFAULT_LANES, now + 61_000).kind === 'checked'
}

function peerDay(policy: LoginPolicy, random: () => number, rate: number): Day {
  let offered = 0
  let checked = 0
  let tries = 0
  let device = 0
  runDay(
    random,
    rate,
    now => {
      offered++
      if (policy.attempt('alice', `a${Math.floor(random() * ADDRESSES)}`, 'wrong', now)) checked++
    },
    now => {
      tries++
      if (policy.admits('alice', 'home', now)) device++
    },
  )
  return { offered, checked, owner: { device, network: device, link: device }, tries }
}

/**
 * Ordinary sign-ins of all accounts that are not made on a known device: more by day than by
 * night, and some days worse than others.
 */
function ordinary(random: () => number, now: number, day: number): 'failed' | 'succeeded' | undefined {
  const hour = (now / 3_600_000) % 24
  if (random() > 0.15 + 0.85 * Math.max(0, Math.sin(((hour - 6) / 24) * 2 * Math.PI))) return undefined
  return random() < 0.06 + 0.12 * day ? 'failed' : 'succeeded'
}

interface Sprayed {
  readonly noticedAfter: number
  readonly hours: number
  readonly falseAlarms: number
}

/** Who mistyped tries again, up to three times. @returns how many of the tries raised an alarm */
function retries(random: () => number, tryAgain: () => boolean): number {
  let alarms = 0
  for (let again = 0; again < 3 && random() < 0.6; again++) if (tryAgain()) alarms++
  return alarms
}

/** Thirty quiet days, then a list of all accounts is sprayed, one guess each, in random order. */
function spray(seed: number, rate: number): Sprayed {
  const random = randomOf(seed + 1_000)
  const watch = new FailureWatch({ raised: 1, high: 1 })
  const perSecond = 0.1
  let now = START
  let falseAlarms = 0
  const note = (address: number, outcome: 'failed' | 'succeeded', account: string): boolean =>
    watch.note(
      { account, address: `a${address}`, network: `n${address >> 1}`, outcome, isKnownDevice: false },
      now,
    ).spraying
  const quiet = START + 30 * DAY
  let badness = random()
  let day = 0
  while (now < quiet) {
    now += (-Math.log(1 - random()) / perSecond) * 1_000
    if (Math.floor((now - START) / DAY) !== day) {
      day = Math.floor((now - START) / DAY)
      badness = random()
    }
    const outcome = ordinary(random, now, badness)
    if (outcome === undefined) continue
    const who = Math.floor(random() * ACCOUNTS)
    if (note(1_000_000 + who, outcome, `user${who}`)) falseAlarms++
    if (outcome === 'failed')
      falseAlarms += retries(random, () => note(1_000_000 + who, 'failed', `user${who}`))
  }
  const honest = (): boolean => {
    const who = Math.floor(random() * ACCOUNTS)
    const outcome = ordinary(random, now, badness)
    return outcome !== undefined && note(1_000_000 + who, outcome, `user${who}`)
  }
  // One guess in a thousand is right.
  const guess = (account: number): boolean => {
    const right = random() < 0.001 ? 'succeeded' : 'failed'
    return note(Math.floor(random() * ADDRESSES), right, `sprayed${account}`)
  }
  let guesses = 0
  for (; guesses < ACCOUNTS; guesses++) {
    now += (-Math.log(1 - random()) / (rate + perSecond)) * 1_000
    const isHonest = random() < perSecond / (rate + perSecond)
    if (isHonest ? honest() : guess(guesses)) break
  }
  return { noticedAfter: guesses, hours: 30 * 24, falseAlarms }
}

const ours: Day[] = []
const peers = new Map<string, Day[]>()
const sprayed: Sprayed[] = []
for (let seed = 0; seed < SEEDS; seed++) {
  const rate = rateOf(seed, randomOf(seed))
  ours.push(ourDay(randomOf(seed + 100), rate))
  for (const policy of [flexibleSample(), betterAuthDefault(), keycloakPolicy()]) {
    const days = peers.get(policy.name) ?? []
    days.push(peerDay(policy, randomOf(seed + 100), rate))
    peers.set(policy.name, days)
  }
  sprayed.push(spray(seed, rate))
  console.log(
    `seed ${String(seed).padStart(2)}: ${rate.toFixed(2).padStart(5)} guesses/s, ${ours.at(-1)?.offered} offered, ${ours.at(-1)?.checked} checked, spraying noticed after ${sprayed.at(-1)?.noticedAfter}`,
  )
}

const most = (days: readonly Day[]): number => Math.max(...days.map(({ checked }) => checked))
const share = (days: readonly Day[], lane: keyof Day['owner']): number =>
  days.reduce((sum, day) => sum + day.owner[lane], 0) / days.reduce((sum, day) => sum + day.tries, 0)
const hours = sprayed.reduce((sum, one) => sum + one.hours, 0)
const figures: Record<string, number | string> = {
  seeds: SEEDS,
  guesses_offered: ours.reduce((sum, { offered }) => sum + offered, 0),
  postern_most_checked_per_account_and_day: most(ours),
  postern_owner_known_device: share(ours, 'device'),
  postern_owner_known_network: share(ours, 'network'),
  postern_owner_unknown_through_link: share(ours, 'link'),
  spraying_noticed_after_guesses_worst: Math.max(...sprayed.map(({ noticedAfter }) => noticedAfter)),
  spraying_quiet_hours: hours,
  spraying_false_alarms: sprayed.reduce((sum, { falseAlarms }) => sum + falseAlarms, 0),
}
for (const [name, days] of peers) {
  figures[`${name}: most checked per account and day`] = most(days)
  figures[`${name}: owner let in`] = Number(share(days, 'device').toFixed(4))
}
report({
  bench: 'login-simulation',
  ratios: {
    checked_of_goal_58: most(ours) / 58,
    owner_known_device: share(ours, 'device'),
    owner_unknown_through_link: share(ours, 'link'),
    spraying_share_of_list: Math.max(...sprayed.map(({ noticedAfter }) => noticedAfter)) / ACCOUNTS,
    spraying_false_alarms_per_quiet_hour: sprayed.reduce((sum, one) => sum + one.falseAlarms, 0) / hours,
  },
  figures,
  unequal: [
    'the peers are simulated from their documentation; ours is the code of the package, without HTTP and without the proof of work that it would ask for',
    'the attacker has no address in the network of the owner; one who has may check 101 guesses a day more there',
    'the peers know no device and no link: their owner comes from an address that the attacker does not have',
    'none of the peers notices spraying',
  ],
})
