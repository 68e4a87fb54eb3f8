import { ConfigError } from '@postern/core'
import type { Approval } from './approval.ts'
import type { ApprovalChannel, Notice } from './notice.ts'
import { inWords } from './people.ts'

/** A message, ready for any mailer. */
export interface Mail {
  readonly to: readonly string[]
  /** One line. */
  readonly subject: string
  /** Plain text. */
  readonly text: string
}

/** Who receives mails about approvals, and by which mailer. */
export interface MailOptions {
  /**
   * Recipients of a notice: usually looked up by `approval.by` and `approval.tenant`. None: nothing is sent.
   */
  readonly to: (notice: Notice) => readonly string[] | Promise<readonly string[]>
  /** Sends a message: nodemailer, SES, whatever the application has. */
  readonly send: (mail: Mail) => Promise<unknown>
  /** Where a person follows the request. */
  readonly link: (id: string) => string
  /** Default: `mail`. */
  readonly name?: string
}

const ADDRESS = /^[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}$/

/**
 * Notifies people by mail through the application's own mailer. The message counts rows but shows none of
 * them, and what callers wrote stands in it on one line each: it can add no header and no second paragraph.
 */
export function mailChannel(options: MailOptions): ApprovalChannel {
  return {
    name: options.name ?? 'mail',
    async send(notice) {
      const to = await options.to(notice)
      if (to.length === 0) return
      if (to.length > 50 || to.some(address => !ADDRESS.test(address)))
        throw new ConfigError({
          place: 'approvals.mail.to',
          problem: 'it did not return 1 to 50 addresses',
          hint: 'return the addresses of those who may decide',
        })
      const { approval } = notice
      const what = `${oneLine(approval.act.action)} on ${oneLine(approval.act.resource) || 'no single resource'}`
      const subject =
        notice.event === 'requested' ? `Approval needed: ${what}` : `${stateWord(approval)}: ${what}`
      await options.send({
        to,
        subject: subject.slice(0, 200),
        text: textOf(approval, options.link(approval.id)),
      })
    },
  }
}

function textOf(approval: Approval, link: string): string {
  const { act, preview } = approval
  const counts = Object.entries(preview.rows ?? {}).map(([table, count]) => `  ${oneLine(table)}: ${count}`)
  return [
    `Who:     ${oneLine(act.actor)}${approval.owner === '' ? '' : ` (an agent of ${oneLine(approval.owner)})`}`,
    `What:    ${oneLine(act.action)}`,
    `On:      ${oneLine(act.resource)}`,
    `Why:     ${oneLine(approval.reason) || '(no reason given)'}`,
    ...(preview.summary === undefined ? [] : [`Effect:  ${oneLine(preview.summary)}`]),
    ...(counts.length === 0 ? [] : ['Rows it would change:', ...counts]),
    `State:   ${approval.state}${approval.decidedBy === undefined ? '' : ` by ${oneLine(approval.decidedBy)}`}`,
    `Decides: ${approval.by.map(inWords).join(' or ')}`,
    `Until:   ${new Date(approval.expiresAt).toISOString()}`,
    '',
    link,
    '',
    "If you did not expect this, deny it and look at the log: somebody may be using the requester's account.",
  ].join('\n')
}

function stateWord({ state }: Approval): string {
  return `${state.charAt(0).toUpperCase()}${state.slice(1)}`
}

/** Control and formatting characters become spaces: a reason must not look like a line of ours. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, 300)
}
