import { type Html, html } from './html.ts'
import type { PageRequest } from './page-request.ts'

/** Entries of the account's menu, with where they lead. */
const MENU = ['account', 'sessions', 'keys', 'organisations'] as const

/** The menu of the account's pages. */
export function accountMenu(request: PageRequest, base: string, current: string): Html {
  const labels: Readonly<Record<(typeof MENU)[number], string>> = {
    account: request.texts.accountTitle,
    sessions: request.texts.sessionsTitle,
    keys: request.texts.keysTitle,
    organisations: request.texts.organisationsTitle,
  }
  const items = MENU.map(entry =>
    entry === current
      ? html`<li><a href="${base}/${entry}" aria-current="page">${labels[entry]}</a></li>`
      : html`<li><a href="${base}/${entry}">${labels[entry]}</a></li>`,
  )
  return html`<nav class="account" aria-label="${request.texts.accountTitle}"><ul>${items}<li><a href="${base}/sign-out">${request.texts.signOut}</a></li></ul></nav>`
}

/** A moment, in the reader's language. UTC, and said so: the server does not know their time zone. */
export function moment(request: PageRequest, time: number | undefined): Html | string {
  if (time === undefined) return request.texts.never
  const date = new Date(time)
  const text = new Intl.DateTimeFormat(request.language, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(date)
  return html`<time datetime="${date.toISOString()}">${text} UTC</time>`
}
