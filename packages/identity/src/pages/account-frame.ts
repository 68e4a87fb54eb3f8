import { type Html, html } from './html.ts'
import type { PageRequest } from './page-request.ts'

/** An entry of the account's menu, and where it leads. */
export type MenuEntry = 'account' | 'sessions' | 'keys' | 'grants' | 'organisations'

/** The menu of the account's pages. */
export function accountMenu(
  request: PageRequest,
  base: string,
  current: string,
  entries: readonly MenuEntry[],
): Html {
  const labels: Readonly<Record<MenuEntry, string>> = {
    account: request.texts.accountTitle,
    sessions: request.texts.sessionsTitle,
    keys: request.texts.keysTitle,
    grants: request.texts.grantsTitle,
    organisations: request.texts.organisationsTitle,
  }
  const items = entries.map(entry =>
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
