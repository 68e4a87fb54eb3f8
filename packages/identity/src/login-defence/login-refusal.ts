import {
  type ConfigException,
  type Exchange,
  escapeHtml,
  pageLanguage,
  problemDocument,
  type Refusal,
  type RefusalContent,
} from '@postern/core'
import type { AltchaChallenge } from './altcha.ts'
import type { Lane } from './lanes.ts'
import { loginPage } from './login-page.ts'
import { LOGIN_WORDS } from './login-words.ts'
import { proofPage } from './proof-page.ts'

/** Where a browser asks for a link. */
export const LINK_PATH = '/.postern/login-link'

const WAIT =
  'Too many attempts to sign in to this account. Please wait, or sign in from a device you have used before.'
const WAIT_OR_LINK = LOGIN_WORDS.en.wait.text
const LONGEST_WAIT = 86_400

/** A lane that is used up. */
export interface FullLane {
  readonly lane: Lane
  /** When it has room again, epoch milliseconds. */
  readonly retryAt: number
}

/**
 * The same answer for accounts that exist and accounts that do not: it depends on nothing but earlier tries.
 * @param offer whether a link to sign in with is offered
 */
export function waitRefusal(
  exchange: Exchange,
  account: string,
  { lane, retryAt }: FullLane,
  offer: 'link' | 'no-link',
): Refusal {
  const seconds = Math.ceil((retryAt - exchange.time) / 1_000)
  const message = offer === 'link' ? WAIT_OR_LINK : WAIT
  return {
    effect: 'throttle',
    guard: 'login',
    status: 429,
    retryAfter: Math.min(LONGEST_WAIT, Math.max(1, seconds)),
    reasons: [
      {
        rule: `login/${lane}`,
        message,
        evidence: { location: 'body', facts: { lane } },
        exception: exemption(exchange),
      },
    ],
    ...(offer === 'link' && { content: linkOffer(exchange, account, message, seconds) }),
  }
}

/** No account is named: an exception is written into a file, and the guesses come from somewhere. */
function exemption({ client }: Exchange): ConfigException {
  return { changes: [{ at: ['login', 'exempt'], add: [client] }] }
}

/**
 * The account of the attempt cannot be determined with certainty, or one request tries several.
 * @param sought fields that the configuration names for it: one that is mistyped there refuses every attempt
 */
export function unreadableRefusal(kind: 'unreadable' | 'several', sought?: readonly string[]): Refusal {
  return {
    effect: 'deny',
    guard: 'login',
    status: 400,
    reasons: [
      {
        rule: `login/${kind}`,
        message:
          kind === 'several'
            ? 'One request can sign in to one account only, and must name it once.'
            : 'The account to sign in to cannot be read from this request.',
        ...(kind === 'unreadable' &&
          sought !== undefined && {
            evidence: {
              location: 'body',
              facts: { sought: sought.join(', '), 'named by': 'login.account of the route' },
            },
          }),
      },
    ],
  }
}

/** Work first. The password was not looked at. */
export function proofRefusal(exchange: Exchange, challenge: AltchaChallenge, nonce: string): Refusal {
  const message = 'Because of many failed sign-ins, this device must do a short computation first.'
  return {
    effect: 'challenge',
    guard: 'login',
    status: 403,
    reasons: [
      {
        rule: 'login/proof',
        message,
        evidence: { location: 'body', facts: { work: challenge.maxnumber } },
        exception: exemption(exchange),
      },
    ],
    content: wantsHtml(exchange)
      ? proofPage(challenge, nonce, pageLanguage(exchange))
      : problemDocument(exchange, {
          type: 'urn:postern:refusal:challenge',
          title: 'Please prove that this is you',
          status: 403,
          detail: `${message} Send the solution in the header Postern-Proof, as ALTCHA encodes it.`,
          challenge: { ...challenge },
        }),
  }
}

function linkOffer(exchange: Exchange, account: string, message: string, seconds: number): RefusalContent {
  if (!wantsHtml(exchange))
    return problemDocument(exchange, {
      type: 'urn:postern:refusal:throttle',
      title: 'Too many requests',
      status: 429,
      detail: message,
      retryAfter: Math.min(LONGEST_WAIT, Math.max(1, seconds)),
      link: LINK_PATH,
    })
  const language = pageLanguage(exchange)
  const { wait, number } = LOGIN_WORDS[language]
  return loginPage(
    language,
    wait.title,
    `<p>${escapeHtml(wait.text)}</p>
<form method="post" action="${LINK_PATH}"><input type="hidden" name="account" value="${escapeHtml(account)}"><button>${escapeHtml(wait.sendLink)}</button></form>
<div class="help"><p class="soft">${escapeHtml(number)}: <code dir="ltr">${exchange.id}</code></p></div>`,
  )
}

/** A browser's navigation names `text/html` first. */
function wantsHtml(exchange: Exchange): boolean {
  const accept = exchange.header('accept') ?? ''
  const html = accept.indexOf('text/html')
  const json = accept.search(/application\/(?:problem\+)?json/)
  return html >= 0 && (json < 0 || html < json)
}
