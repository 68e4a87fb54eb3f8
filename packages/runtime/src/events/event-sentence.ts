import type { Event, Json } from '@postern/core'
import { untrustedForwardingSentence } from '../forwarding/untrusted-forwarding.ts'

type Sentence = (event: Event) => string

/**
 * What happened, in words, for events that are not requests; type and facts for those of an application.
 * Comes from outside: show it `safe`.
 */
const SENTENCES: Readonly<Record<string, Sentence>> = {
  operator: event => `${event.actor.principal ?? 'an operator'}: ${event.action ?? ''} ${details(event)}`,
  'audit.coalesced': event => `${number(event, 'count')} more requests ${refused(event)}, told here as one`,
  'audit.resumed': () => 'the log takes entries again',
  'audit.lost': event => `${number(event, 'count')} events could not be taken into the log`,
  'audit.subject.erased': () => 'a subject was erased from the log',
  'audit.pruned': event => `old entries were removed from the log, up to ${number(event, 'minimumIndex')}`,
  'audit.outside': event => `an anchor or witness of the log failed: ${text(event, 'problem')}`,
  'audit.rollback.accepted': () => 'the log was opened although an anchor remembers more of it',
  'config.reloaded': event => `the configuration was read again${waiting(event)}`,
  'config.refused': event =>
    `a new configuration was refused: ${number(event, 'issues')} ${event.data?.['issues'] === 1 ? 'mistake' : 'mistakes'}`,
  'scenarios.refused': event => `changed scenarios were refused: ${text(event, 'problem')}`,
  'store.away': event => `${text(event, 'problem')}; started without it: ${withoutStore(event)}`,
  'store.back': event => `${text(event, 'store')} ${storeBack(event)}`,
  'store.failed': event => text(event, 'problem'),
  'crowdsec.failed': event => `CrowdSec: ${text(event, 'problem')}`,
  'nftables.failed': event => `nftables: ${text(event, 'problem')}`,
  'cloudflare.failed': event => `Cloudflare: ${text(event, 'problem')}`,
  'schema.failed': event => `what was learned of parameters could not be kept: ${text(event, 'problem')}`,
  'gateway.worker': event => text(event, 'line'),
  'gateway.backend-failed': event => `the backend failed (${backendFailure(event)}) ${place(event)}`,
  'gateway.backend-down': event => `the backend is down: ${text(event, 'problem')}`,
  'gateway.tls-failed': event =>
    `a TLS handshake with ${who(event)} failed: ${text(event, 'problem')} (${text(event, 'code')})${more(event)}`,
  'gateway.backend-up': event => `the backend is back after ${number(event, 'seconds')} s`,
  'proxy.untrusted': untrustedForwardingSentence,
  'limit.refused': event => `limit "${text(event, 'limit')}" refused ${place(event)}${times(event)}`,
  'inspection.doubt': event =>
    `a value that may be an attack passed ${place(event)}: ${text(event, 'rule')} in ${text(event, 'location')}; to end the doubt: ${text(event, 'setting')}`,
  'inspection.harmless': event =>
    `what looked like an attack was used as data ${place(event)}: ${text(event, 'rule')} in ${text(event, 'location')}`,
  'honey.record': event =>
    `a honey record was opened: ${event.resource?.type ?? ''} ${event.resource?.id ?? ''}`,
  'login.failed': event => `sign-in failed: ${who(event)}${by(event, 'method')}`,
  'login.succeeded': event => `signed in: ${who(event)}${by(event, 'amr')}`,
  'login.trouble': event => `sign-in: ${text(event, 'problem')}`,
  'session.ended': event => `signed out: ${who(event)}`,
  'key.created': event => `an API key was created: ${text(event, 'key')}`,
  'key.rotated': event => `an API key was rotated: ${text(event, 'key')}`,
  'key.revoked': event => `API keys were revoked: ${text(event, 'key')} (${text(event, 'why')})`,
  'grant.revoked': event =>
    event.data?.['why'] === 'replayed'
      ? `a code or token of the application ${text(event, 'client')} was used twice: it lost its access to the account of ${who(event)}`
      : `an application lost its access to the account of ${who(event)}`,
  'grant.repeated': event =>
    `a refresh token of the application ${text(event, 'client')} came twice within seconds, and was answered with the one that replaced it: access to the account of ${who(event)}`,
  'impersonation.started': event =>
    `${who(event)} acts as ${event.resource?.id ?? ''}: ${text(event, 'reason')}`,
  'credential.refused': event => `credentials refused: ${who(event)}${by(event, 'method')}`,
  'csp.violation': event =>
    `a browser reports that ${text(event, 'directive')} blocked ${text(event, 'blocked')} on ${text(event, 'page')}`,
  'cookie.tightened': event => `cookie ${text(event, 'cookie')}: attributes were added`,
  'records.issued': event => `records shown to ${who(event)}: ${event.resource?.type ?? ''}`,
  'audit.unreadable': () => 'what a process had left for the log could not be read',
  'journal.failed': event => `the undo journal: ${text(event, 'problem')}`,
  'act.permitted': event => `${who(event)} may ${act(event)}`,
  'act.done': event => `${who(event)} did ${act(event)}`,
  'act.failed': event => `${who(event)} could not ${act(event)}: it failed`,
  'act.refused': event => `${who(event)} may not ${act(event)}${by(event, 'why')}`,
  'approval.requesting': event => `${who(event)} is about to ask for consent to ${consent(event)}`,
  'approval.requested': event => `${who(event)} asked for consent to ${consent(event)}`,
  'approval.deciding': event => `${who(event)} is about to ${text(event, 'decision')} ${consent(event)}`,
  'approval.approved': event => `${who(event)} consented to ${consent(event)}`,
  'approval.denied': event => `${who(event)} denied ${consent(event)}`,
  'approval.redeeming': event => `${who(event)} is about to use the consent to ${consent(event)}`,
  'approval.used': event => `${who(event)} used the consent to ${consent(event)}`,
  'approval.refused': event => `${who(event)} may not decide ${consent(event)}`,
  'approval.cancelled': event => `the request was cancelled: ${consent(event)}`,
  'approval.expired': event => `the request expired: ${consent(event)}`,
  'approval.forged': event => `a request was changed in the database: ${consent(event)}`,
}

/** What is missing while a store is away, by the part of Postern that keeps something there. */
const WHILE_AWAY: Readonly<Record<string, string>> = {
  audit: 'events wait in memory for the log, and what must be logged first is refused until it answers',
  identity: 'nobody can sign in, and requests with a session or key are refused until it answers',
}
const WHEN_BACK: Readonly<Record<string, string>> = {
  audit: 'the log is open, and has the events that waited',
  identity: 'people can sign in',
}

function storeBack(event: Event): string {
  if (event.data?.['seconds'] !== undefined) return `works again, after ${number(event, 'seconds')} s`
  return `answers: ${WHEN_BACK[text(event, 'part')] ?? 'what is kept there is in force'}`
}

function withoutStore(event: Event): string {
  return (
    WHILE_AWAY[text(event, 'part')] ??
    'bans kept there are not known yet, and limits follow stores.failure until it answers'
  )
}

/** One event that is not a request, as a sentence without time. */
export function eventSentence(event: Event): string {
  const sentence = Object.hasOwn(SENTENCES, event.type) ? SENTENCES[event.type] : undefined
  return (sentence?.(event) ?? facts(event)).trim()
}

/** All that an event of another type says: `account.roles-changed: user:ann account u_4711 roles=admin`. */
function facts(event: Event): string {
  const { type, actor, request } = event
  const said = [actor.principal ?? actor.address ?? '', act(event), values(event)].filter(text => text !== '')
  return `${type}${said.length === 0 ? ` ${request?.id ?? ''}` : `: ${said.join(' ')}`}`
}

/** `order.delete order 7`, or `DELETE /orders/:id orders/7`. */
function act({ action = '', resource }: Event): string {
  return [action, resource?.type ?? '', resource?.id ?? '']
    .filter(word => word !== '')
    .join(' ')
    .slice(0, 300)
}

/** The act, who asked for it where somebody else decides, and the id of the request. */
function consent(event: Event): string {
  const asked = text(event, 'requestedBy')
  const { principal } = event.actor
  const isOwn = asked === '' || asked === principal || asked.slice(asked.indexOf(':') + 1) === principal
  const others = isOwn ? '' : `, asked by ${asked}`
  return `${act(event)}${others} (approval ${text(event, 'approval')})`
}

/** `like GET /login, refused by limit/login`. */
function refused(event: Event): string {
  const rule = event.reasons?.[0]?.rule ?? event.guard
  return `like ${place(event)}${rule === undefined ? '' : `, refused by ${rule}`}`
}

function who({ actor }: Event): string {
  return actor.principal ?? actor.address ?? 'somebody'
}

function by(event: Event, key: string): string {
  const value = text(event, key)
  return value === '' ? '' : ` (${value})`
}

function place({ request }: Event): string {
  return request === undefined ? '' : `${request.method} ${request.path}`
}

function times(event: Event): string {
  const count = number(event, 'count')
  return count === '1' ? '' : `, ${count} times by now`
}

function more(event: Event): string {
  const count = number(event, 'more')
  return count === '0' ? '' : `, and ${count} more since the last such line`
}

/** What an operator's act says beside its name: `actor=192.0.2.1 for=4h`. */
function details(event: Event): string {
  return [event.resource?.id ?? '', values(event)]
    .filter(fact => fact !== '')
    .join(' ')
    .slice(0, 500)
}

/** `actor=192.0.2.1 for=4h` */
function values({ data }: Event): string {
  return Object.entries(data ?? {})
    .map(([name, value]) => `${name}=${plain(value)}`)
    .join(' ')
    .slice(0, 500)
}

function plain(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** `unreachable: ECONNREFUSED`. */
function backendFailure(event: Event): string {
  const cause = text(event, 'cause')
  return `${text(event, 'failure')}${cause === '' ? '' : `: ${cause}`}`
}

function waiting({ data }: Event): string {
  const keys = data?.['needRestart']
  return Array.isArray(keys) && keys.length > 0 ? `; these need a restart: ${keys.join(', ')}` : ''
}

function number({ data }: Event, key: string): string {
  return String(Number(data?.[key] ?? 0))
}

function text({ data }: Event, key: string): string {
  return String(data?.[key] ?? '').slice(0, 500)
}
