import { errorCode, PosternError, StoreError } from '@postern/core'

interface Meaning {
  readonly message: string
  readonly retryable: boolean
}

/** What a command says for which there is no connection. Why there is none, only the connection knows. */
export const NOT_CONNECTED = 'is not connected'

const UNREACHABLE: Meaning = {
  message: 'is not reachable; is it running, and is the address right?',
  retryable: true,
}

/** By a part of the driver's or server's message, first match wins. */
const MEANINGS: readonly (readonly [RegExp, Meaning])[] = [
  [
    /WRONGPASS|NOAUTH|invalid username-password|without any password configured/,
    { message: 'refused the user or password; check those in the URL', retryable: false },
  ],
  [/NOPERM/, { message: 'does not let this user run that command; check its ACL', retryable: false }],
  [
    /Command timed out|Socket timeout/,
    { message: 'did not answer within the command timeout', retryable: true },
  ],
  [
    /All sentinels are unreachable/,
    {
      message: 'no Sentinel of the URL is reachable and knows a primary of that name',
      retryable: true,
    },
  ],
  [/ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN/, UNREACHABLE],
  [
    /ETIMEDOUT/,
    {
      message:
        'gave no connection in time; is the address right, and does the scheme fit (rediss:// is TLS)?',
      retryable: true,
    },
  ],
  [/Failed to refresh slots cache|None of startup nodes|ClusterAllFailed/, UNREACHABLE],
  [
    /isn't writeable|Connection is closed|max retries|ECONNRESET|EPIPE|Cluster isn't ready/,
    { message: NOT_CONNECTED, retryable: true },
  ],
  [
    /^LOADING|^BUSY|^MASTERDOWN|^TRYAGAIN|^CLUSTERDOWN/,
    { message: 'is not ready to answer yet', retryable: true },
  ],
  [
    /^MOVED|^ASK |^CROSSSLOT/,
    { message: 'is a cluster; it is connected to as one as soon as it says so', retryable: true },
  ],
  [/^OOM/, { message: 'is out of memory; raise maxmemory, or use a separate Redis', retryable: true }],
  [/^READONLY/, { message: 'is a read-only replica; give the URL of the primary', retryable: true }],
  [/^NOREPLICAS/, { message: 'has too few replicas in reach and refuses writes', retryable: true }],
  [/max number of clients/, { message: 'has no connection left; raise maxclients', retryable: true }],
  [/DB index is out of range/, { message: 'has no database of that number', retryable: false }],
  [/SELECT is not allowed/, { message: 'is a cluster, which has database 0 only', retryable: false }],
  [
    /^DENIED|protected mode/,
    {
      message: 'is in protected mode: give it a password, or let it listen on this network',
      retryable: false,
    },
  ],
  [
    /^Protocol error, got|^Unknown (?:RESP|reply)|^Unknown type /i,
    { message: 'answers in another protocol; is the port that of Redis?', retryable: false },
  ],
  [/unknown command/i, { message: 'does not know a command that is needed', retryable: false }],
  [/^MISCONF/, { message: 'cannot save to its disk and refuses writes', retryable: true }],
  [
    /CERT|TLS|SSL/,
    { message: 'TLS could not be agreed; check the scheme of the URL and the certificate', retryable: false },
  ],
]

/** The command that a user may not run, or that a server does not know: its name only. */
const COMMAND = /(?:run the|unknown command) ['`"]([a-z|]{1,40})['`"]/i

/**
 * What went wrong in Redis, as a `StoreError`. Redis repeats parts of a command in some messages, so only the
 * first word of an unknown one is passed on. What is not an error is returned as it is.
 * @param store the store as errors name it: `redisName(redis)`
 */
export function translatedError(error: unknown, store: string): unknown {
  if (error instanceof PosternError || !(error instanceof Error)) return error
  const code = errorCode(error) ?? ''
  const last =
    'lastNodeError' in error && error.lastNodeError instanceof Error ? error.lastNodeError.message : ''
  const texts = [`${error.message} ${code}`, last]
  const meaning = texts
    .map(text => MEANINGS.find(([pattern]) => pattern.test(text))?.[1])
    .find(found => found !== undefined)
  const command = COMMAND.exec(error.message)?.[1]
  const named = meaning !== undefined && command !== undefined && !meaning.retryable ? ` (${command})` : ''
  return new StoreError(
    meaning === undefined
      ? `refused the command (${/^[A-Z]+/.exec(error.message)?.[0] ?? 'ERR'})`
      : `${meaning.message}${named}`,
    {
      store,
      retryable: meaning?.retryable ?? false,
    },
  )
}
