type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** What the browser keeps of its session: the key, and until when the cookie counts by its own clock. */
export interface KeptSession {
  readonly session: string
  /** The private half cannot be extracted. */
  readonly pair: { readonly privateKey: Key; readonly publicKey: Key }
  /** Public key, as it is registered (JWK of RFC 7518 section 6.2). */
  readonly jwk: PublicJwk
  /** Epoch milliseconds, by this machine's clock, at which the last value of the cookie was asked for. */
  readonly at: number
  /** Milliseconds for which it counts; 0 until the key is registered. */
  readonly lifetime: number
}

export interface PublicJwk {
  readonly kty: string
  readonly crv: string
  readonly x: string
  readonly y: string
}

/** The parts of IndexedDB that are used here, so that no DOM types are needed. */
interface DatabaseRequest {
  readonly result: unknown
  onsuccess: (() => void) | null
  onerror: (() => void) | null
  onblocked?: (() => void) | null
  onupgradeneeded?: (() => void) | null
}
interface ObjectStore {
  get(key: string): DatabaseRequest
  put(value: unknown, key: string): DatabaseRequest
  delete(key: string): DatabaseRequest
}
interface Database {
  createObjectStore(name: string): unknown
  close(): void
  transaction(
    name: string,
    mode: 'readonly' | 'readwrite',
  ): {
    objectStore(name: string): ObjectStore
    oncomplete: (() => void) | null
    onabort: (() => void) | null
  }
}
interface Storage {
  readonly indexedDB?: { open(name: string, version: number): DatabaseRequest }
}

/** This browser keeps nothing, or no key that cannot be extracted. */
export class KeptError extends Error {}

const DATABASE = 'postern'
const STORE = 'bind'
const RECORD = 'session'
/** Milliseconds after which a database that does not answer counts as missing. */
const PATIENCE = 3_000

/** What is kept; undefined where nothing is. @throws KeptError (rejects) where the browser keeps nothing */
export async function readKept(): Promise<KeptSession | undefined> {
  return (await inStore('readonly', store => store.get(RECORD))) as KeptSession | undefined
}

/** @throws KeptError (rejects) where the browser keeps nothing, or no keys */
export async function writeKept(kept: KeptSession | undefined): Promise<void> {
  await inStore('readwrite', store => (kept === undefined ? store.delete(RECORD) : store.put(kept, RECORD)))
}

async function inStore(
  mode: 'readonly' | 'readwrite',
  use: (store: ObjectStore) => DatabaseRequest,
): Promise<unknown> {
  const database = await opened()
  try {
    return await bounded((done, failed) => {
      const transaction = database.transaction(STORE, mode)
      const request = use(transaction.objectStore(STORE))
      transaction.oncomplete = () => done(request.result)
      transaction.onabort = failed
    })
  } finally {
    database.close()
  }
}

/** Opened for each use: an open connection would hold up `Clear-Site-Data` and deletion by the user. */
function opened(): Promise<Database> {
  return bounded((done, failed) => {
    const request = (globalThis as Storage).indexedDB?.open(DATABASE, 1)
    if (request === undefined) return failed()
    request.onupgradeneeded = () => (request.result as Database).createObjectStore(STORE)
    request.onsuccess = () => done(request.result as Database)
    request.onerror = failed
    request.onblocked = failed
  })
}

/** Some browsers never answer in a private window: that is a failure too. */
function bounded<Value>(work: (done: (value: Value) => void, failed: () => void) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    const failed = (): void => reject(new KeptError('postern: this browser keeps nothing'))
    const timer = setTimeout(failed, PATIENCE)
    const end = (act: () => void): void => {
      clearTimeout(timer)
      act()
    }
    try {
      work(
        value => end(() => resolve(value)),
        () => end(failed),
      )
    } catch {
      // `SecurityError`, `InvalidStateError` and `DataCloneError` are thrown at once.
      end(failed)
    }
  })
}
