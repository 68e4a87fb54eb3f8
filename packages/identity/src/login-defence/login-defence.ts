import {
  ALLOW,
  type AnswerHead,
  type AnswerWatch,
  type CidrSet,
  type Clock,
  type Decision,
  type Event,
  type Exchange,
  type Guard,
  type Mode,
  networkOf,
  type Outcome,
  type RandomSource,
  StoreError,
  systemClock,
  systemRandom,
} from '@postern/core'
import { hostCookieName, readOwnCookies } from '../headers/cookie.ts'
import { type DocumentPlaces, type LoginDocument, namedIn } from './account-field.ts'
import { Altcha } from './altcha.ts'
import { status } from './answer-test.ts'
import { deviceFor, newDevice, withDevice } from './device-cookie.ts'
import { FailureWatch, type ProofLevels } from './failure-watch.ts'
import { type KeyedHash, keyedHash } from './keyed-hash.ts'
import { failed, succeeded } from './lane-outcome.ts'
import { DEFAULT_LANES } from './lane-rules.ts'
import { type Client, type Entry, enter, type Lane, laneOf } from './lanes.ts'
import { loginField } from './login-body.ts'
import { outcomeEvent, sprayingEvent, stuffingEvent } from './login-events.ts'
import { DEVICE_COOKIE, deviceCookie, type LinkMail, LoginLinks } from './login-links.ts'
import { judgeAnswer, type LoginOutcome } from './login-outcome.ts'
import type { LoginRecord } from './login-record.ts'
import { LINK_PATH, proofRefusal, unreadableRefusal, waitRefusal } from './login-refusal.ts'
import { type CompiledLogin, compileLogin } from './login-settings.ts'
import type { LoginStore, Step } from './login-store.ts'
import { namesBeside } from './mailbox.ts'
import { memoryLoginStore } from './memory-login-store.ts'
import { obviousLogin, oneLogin } from './one-login.ts'
import { enterOthers, learnOthers, type OtherTries, placeBack, type UpdateName } from './other-names.ts'
import { PROOF_COOKIE } from './proof-page.ts'

/** Where records are kept, which routes sign in, whom it exempts, and how owners are reached. */
export interface LoginDefenceOptions {
  /** At least 32 bytes, the same on every instance: signs device cookies, hashes accounts and addresses. */
  readonly secret: Uint8Array
  /** Default: `memoryLoginStore()`. With more than one process, use one they share. */
  readonly store?: LoginStore
  /**
   * What happens while the store does not answer: the same lanes in this process
   * (`local`, default), or 503 (`closed`).
   */
  readonly onStoreFailure?: 'local' | 'closed'
  /** Routes that look like a login but have no settings: guarded (default) or not. */
  readonly obviousRoutes?: 'guard' | 'ignore'
  /**
   * Path of the sign-in form of built-in identity, which answers 401 to a wrong password and 303
   * to a right one. Default: there is none.
   */
  readonly ownSignIn?: string
  /** The last lane. Without it, whom no lane has room for must wait. */
  readonly link?: LinkMail
  /** Default: raised 50,000, high 400,000; `off` asks nobody for work. */
  readonly proofOfWork?: ProofLevels | 'off'
  /** Clients whose tries are neither counted nor held up: a check of the login page. Default: nobody. */
  readonly exempt?: CidrSet
  readonly mode?: Mode
  readonly clock?: Clock
  readonly random?: RandomSource
  /** Where `login.*` events go: the engine's `emit`. */
  readonly onEvent?: (event: Event) => void
  /** Called with failures after the decision: of the store, of mail. Never receives contents. */
  readonly onError?: (error: unknown) => void
}

/** A try that was let in, until its outcome is known. */
interface Attempt {
  readonly account: string
  readonly client: Client
  readonly lane: Lane
  readonly login: CompiledLogin
  /** Id that this browser has or will get. */
  readonly device: string
  readonly watch: AnswerWatch | undefined
  readonly others: OtherTries
  /** Whether this account is the one that was tried: where the request holds other names, nobody knows. */
  readonly isCertain: boolean
  readonly shape: 'shaped' | 'given' | undefined
  answer:
    | { readonly status: number; readonly location: string | undefined; readonly cookies: readonly string[] }
    | undefined
  learned: boolean
}

/** The sign-in form of built-in identity. */
const OWN_SIGN_IN = compileLogin(
  { account: 'email', failed: status(401), succeeded: status(303) },
  'identity',
)

const WATCHED = 65_536
const DEFAULT_PROOF: ProofLevels = { raised: 50_000, high: 400_000 }

/**
 * Guards login routes that somebody else handles: of one account only as many guesses are handed on as the
 * lanes allow, whatever the number of addresses they come from, and the owner always has a lane left. A
 * refused try never reaches the handler, so nothing is hashed for it.
 */
export class LoginDefence implements Guard {
  readonly name = 'login'
  readonly failure = 'closed'
  declare readonly mode?: Mode
  readonly #options: LoginDefenceOptions
  readonly #store: LoginStore
  readonly #spare: LoginStore = memoryLoginStore({ max: 20_000 })
  readonly #hash: KeyedHash
  readonly #clock: Clock
  readonly #random: RandomSource
  readonly #altcha: Altcha
  readonly #watch: FailureWatch
  readonly #links: LoginLinks | undefined
  readonly #compiled = new WeakMap<object, CompiledLogin>()
  readonly #attempts = new WeakMap<Exchange, Attempt>()

  /** @throws ConfigError for a link that cannot be built */
  constructor(options: LoginDefenceOptions) {
    this.#options = options
    if (options.mode !== undefined) this.mode = options.mode
    this.#store = options.store ?? memoryLoginStore()
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#hash = keyedHash(options.secret)
    this.#altcha = new Altcha({ secret: options.secret, clock: this.#clock, random: this.#random })
    this.#watch = new FailureWatch(
      options.proofOfWork === undefined || options.proofOfWork === 'off'
        ? DEFAULT_PROOF
        : options.proofOfWork,
    )
    if (options.link !== undefined) {
      this.#links = new LoginLinks({
        mail: options.link,
        store: this.#store,
        lanes: DEFAULT_LANES,
        hash: this.#hash,
        clock: this.#clock,
        random: this.#random,
        onEvent: event => this.#emit(event),
        onError: error => options.onError?.(error),
      })
    }
  }

  decide(exchange: Exchange): Decision | Promise<Decision> {
    if (this.#links !== undefined && exchange.path.canonical.startsWith(LINK_PATH))
      return this.#links.serve(exchange)
    const login = this.#loginOf(exchange)
    if (login === undefined || this.#options.exempt?.has(exchange.client) === true) return ALLOW
    return this.#decideLogin(exchange, login)
  }

  /** The settings that hold for an exchange; undefined when it is not a login. */
  #loginOf(exchange: Exchange): CompiledLogin | undefined {
    const { route } = exchange
    const settings = route?.settings.login
    if (settings === false) return undefined
    if (settings === undefined) {
      if (this.#isOwn(exchange)) return OWN_SIGN_IN
      if (this.#options.obviousRoutes === 'ignore') return undefined
      return obviousLogin(exchange)
    }
    let compiled = this.#compiled.get(settings)
    if (compiled === undefined) {
      compiled = compileLogin(settings, `routes["${route?.pattern}"]`)
      this.#compiled.set(settings, compiled)
    }
    return oneLogin(compiled, exchange)
  }

  #isOwn(exchange: Exchange): boolean {
    return exchange.method === 'POST' && exchange.path.canonical === this.#options.ownSignIn
  }

  /** Says what the account's lanes would, and takes no try. */
  wouldRefuse(exchange: Exchange): Decision | Promise<Decision> {
    const login = this.#loginOf(exchange)
    if (login === undefined || this.#options.exempt?.has(exchange.client) === true) return ALLOW
    return this.#look(exchange, login)
  }

  async #look(exchange: Exchange, login: CompiledLogin): Promise<Decision> {
    const reading = await login.read(exchange, this.#places)
    if (reading.kind === 'none') return ALLOW
    if (reading.kind !== 'account') return unreadableRefusal(reading.kind, login.sought)
    const account = this.#hash.of('account', reading.account)
    const { client } = this.#clientOf(exchange, account, reading.typed)
    const now = this.#clock.now()
    // Without a record to write, an update only reads.
    const entry = await this.#update<Entry>(account, record => ({
      result: enter(record, client, login.lanes, now),
    }))
    return entry.kind === 'refused' ? waitRefusal(exchange, namedIn(reading), entry, 'no-link') : ALLOW
  }

  #clientOf(
    exchange: Exchange,
    account: string,
    typed: string | undefined,
  ): { readonly client: Client; readonly cookies: readonly string[]; readonly network: string } {
    const cookies = readOwnCookies(exchange.header('cookie'), hostCookieName(DEVICE_COOKIE, exchange.scheme))
    const network = networkOf(exchange.client, { v4: 24, v6: 56 })
    const client = {
      device: deviceFor(cookies, account, this.#hash),
      network: this.#hash.of('network', network),
      address: this.#hash.of('address', networkOf(exchange.client, { v6: 64 })),
      spelling: typed === undefined ? '' : this.#hash.of('spelling', typed),
    }
    return { client, cookies, network }
  }

  async #decideLogin(exchange: Exchange, login: CompiledLogin): Promise<Decision> {
    const reading = await login.read(exchange, this.#places)
    if (reading.kind === 'none') return ALLOW
    if (reading.kind !== 'account') return unreadableRefusal(reading.kind, login.sought)
    const account = this.#hash.of('account', reading.account)
    const { client, cookies, network } = this.#clientOf(exchange, account, reading.typed)
    const now = this.#clock.now()
    const work =
      this.#options.proofOfWork === 'off'
        ? 0
        : this.#watch.proofFor(networkOf(exchange.client, { v6: 64 }), network, now)
    const subject = `${account}\n${client.network}`
    const isProven = work === 0 || (await this.#isProven(exchange, subject, work))
    // A client without the cookie of a device is challenged before the record is read: how long that takes
    // would tell whether somebody has ever signed in to the account.
    if (!isProven && client.device === undefined) return this.#challenge(exchange, subject, work)
    const entry = await this.#update<Entry | 'unproven'>(account, record => {
      if (!isProven && laneOf(record, client, now) !== 'device') return { result: 'unproven' }
      const said = enter(record, client, login.lanes, now)
      return said.kind === 'checked' ? { record: said.record, result: said } : { result: said }
    })
    if (entry === 'unproven') return this.#challenge(exchange, subject, work)
    const offer = this.#links === undefined ? 'no-link' : 'link'
    if (entry.kind === 'refused') return waitRefusal(exchange, namedIn(reading), entry, offer)
    const beside = namesBeside(reading, entry.lane)
    const others = await enterOthers(beside, client, this.#hash, this.#names, now)
    if ('retryAt' in others) {
      const helps = others.kind === 'mailbox' ? offer : 'no-link'
      return waitRefusal(exchange, namedIn(reading), { lane: 'unknown', ...others }, helps)
    }
    // Before the backend learns the document: from then on its hash is enough to sign in.
    if (reading.document !== undefined) await this.#keepPlace(reading.document, now)
    const device = client.device ?? newDevice(this.#random)
    // What a guard serves is not shown to guards before it is sent. An id that no
    // record confirms is worth nothing.
    if (this.#isOwn(exchange))
      exchange.reply('Set-Cookie', deviceCookie(exchange, withDevice(cookies, account, device, this.#hash)))
    this.#attempts.set(exchange, {
      account,
      client,
      lane: entry.lane,
      login,
      device,
      others,
      isCertain: reading.typed !== undefined && (reading.others === undefined || entry.lane === 'device'),
      shape: reading.answer,
      watch: this.#watchFor(exchange, login),
      answer: undefined,
      learned: false,
    })
    return ALLOW
  }

  #challenge(exchange: Exchange, subject: string, work: number): Decision {
    const nonce = Buffer.from(this.#random.bytes(16)).toString('base64')
    return proofRefusal(exchange, this.#altcha.challenge(subject, work), nonce)
  }

  /** The body is copied only where a test may need it; it must be plain then. */
  #watchFor(exchange: Exchange, { tests }: CompiledLogin): AnswerWatch | undefined {
    const all = [...(tests.failed ?? []), ...(tests.succeeded ?? [])]
    if (all.length > 0 && all.every(({ kind }) => kind !== 'text' && kind !== 'json')) return undefined
    exchange.setRequestHeader('accept-encoding', 'identity')
    return exchange.watchAnswer(WATCHED)
  }

  async #isProven(exchange: Exchange, subject: string, work: number): Promise<boolean> {
    const offered = [
      exchange.header('postern-proof'),
      ...readOwnCookies(exchange.header('cookie'), PROOF_COOKIE),
      // The field that the ALTCHA widget adds to a form.
      await loginField(exchange, 'altcha'),
    ]
    return offered.some(payload => payload !== undefined && this.#altcha.redeem(payload, subject, work))
  }

  /**
   * While the shared store does not answer, each process holds the same lanes by
   * itself, unless that is not wanted.
   */
  async #update<Result>(account: string, step: (record: LoginRecord) => Step<Result>): Promise<Result> {
    try {
      return await this.#store.update(account, step)
    } catch (error) {
      if (!(error instanceof StoreError) || this.#options.onStoreFailure === 'closed') throw error
      this.#options.onError?.(error)
      return this.#spare.update(account, step)
    }
  }

  /** Kept as a record like those of accounts, so that all processes of a store know it. */
  readonly #places: DocumentPlaces = hash =>
    this.#update(this.#hash.of('document', hash), record => ({ result: record.devices[0]?.id }))

  #keepPlace({ hash, place }: LoginDocument, now: number): Promise<void> {
    return this.#update(this.#hash.of('document', hash), record => ({
      record: { ...record, devices: [{ id: place, fullAt: 0, failures: 0, seen: now }], touched: now },
      result: undefined,
    }))
  }

  readonly #names: UpdateName = (key, step) => this.#update(key, step)

  onAnswer(exchange: Exchange, head: AnswerHead): void {
    const attempt = this.#attempts.get(exchange)
    if (attempt === undefined) return
    attempt.answer = {
      status: head.status,
      location: head.get('location'),
      cookies: head.getAll('set-cookie'),
    }
    const outcome = this.#judge(exchange, attempt, undefined)
    if (outcome === 'failed' || outcome === 'unclear') return
    // Also while it is unseen: the head leaves before the body is known. An id that
    // no record confirms is worth nothing.
    const name = hostCookieName(DEVICE_COOKIE, exchange.scheme)
    const cookies = readOwnCookies(exchange.header('cookie'), name)
    head.append(
      'Set-Cookie',
      deviceCookie(exchange, withDevice(cookies, attempt.account, attempt.device, this.#hash)),
    )
    // At once, not when the exchange settles: the browser may be back before that.
    if (outcome === 'succeeded') this.#learn(exchange, attempt, outcome)
  }

  settle(exchange: Exchange, outcome: Outcome): void {
    const attempt = this.#attempts.get(exchange)
    if (attempt === undefined || attempt.learned) return
    this.#attempts.delete(exchange)
    attempt.answer ??= { status: outcome.status, location: undefined, cookies: [] }
    const body = attempt.watch === undefined ? '' : Buffer.from(attempt.watch.bytes).toString('utf8')
    const said = this.#judge(exchange, attempt, body)
    if (said === 'failed' || said === 'succeeded') this.#learn(exchange, attempt, said)
  }

  #judge(exchange: Exchange, attempt: Attempt, body: string | undefined): LoginOutcome {
    const answer = attempt.answer ?? { status: 0, location: undefined, cookies: [] }
    return judgeAnswer(attempt.login.tests, { ...answer, body }, exchange.path.canonical, attempt.shape)
  }

  #learn(exchange: Exchange, attempt: Attempt, outcome: 'failed' | 'succeeded'): void {
    attempt.learned = true
    const { account, client, lane, login, others, isCertain } = attempt
    const now = this.#clock.now()
    const proven = (record: LoginRecord): LoginRecord => {
      if (isCertain) return succeeded(record, attempt, login.lanes, now)
      return lane === 'unknown' ? placeBack(record, client, login.lanes, now) : record
    }
    this.#update(account, record => ({
      record: outcome === 'failed' ? failed(record, attempt, now) : proven(record),
      result: undefined,
    }))
      .then(() => learnOthers(others, account, outcome, this.#names, now))
      .catch((error: unknown) => this.#options.onError?.(error))
    const network = networkOf(exchange.client, { v4: 24, v6: 56 })
    const noticed = this.#watch.note(
      {
        account,
        address: networkOf(exchange.client, { v6: 64 }),
        network,
        outcome,
        isKnownDevice: lane === 'device',
      },
      now,
    )
    this.#emit(outcomeEvent(exchange, account, lane, outcome))
    if (noticed.spraying) this.#emit(sprayingEvent(exchange))
    if (noticed.address) this.#emit(stuffingEvent(exchange, 'address', exchange.client))
    else if (noticed.network) this.#emit(stuffingEvent(exchange, 'network', network))
  }

  #emit(event: Event): void {
    this.#options.onEvent?.(event)
  }
}
