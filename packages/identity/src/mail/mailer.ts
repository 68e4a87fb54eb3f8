/** A mail of one short text. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Hands mails to a server or a service. `send` resolves when the mail was accepted. */
export interface Mailer {
  /** @throws Error when it was not taken; the message must not hold the text of the mail */
  send(mail: Mail): Promise<void>
}

/**
 * A mail whose address or subject could not smuggle in a header of its own. @throws
 * RangeError for one that could
 */
export function checkedMail(mail: Mail): Mail {
  if (/[\r\n\0]/.test(mail.to + mail.subject))
    throw new RangeError('an address or subject of a mail holds a line break')
  return mail
}
