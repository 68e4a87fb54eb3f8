import { ConfigError } from '@postern/core'
import { notLoaded, requireVersion } from '@postern/store'
import { checkedMail, type Mailer } from './mailer.ts'

export interface SmtpOptions {
  /** `smtps://user:password@host:465`, or `smtp://...:587`, where TLS is required by STARTTLS. */
  readonly url: string
  /** `Shop <no-reply@shop.example>`. */
  readonly from: string
  /** Plain SMTP without TLS, for a relay on loopback. Default `required`. */
  readonly tls?: 'required' | 'off'
  /** The key of the configuration that errors name. Default: `identity.mail`. */
  readonly place?: string
}

/**
 * Sends by SMTP with nodemailer, which is loaded when this is called.
 * @throws ConfigError when nodemailer is not installed or the URL is invalid
 */
export async function smtpMailer(options: SmtpOptions): Promise<Mailer> {
  const place = options.place ?? 'identity.mail'
  const wanted = { name: 'nodemailer', least: '6.0.0', tested: '10.6.1', place, needs: 'SMTP needs' }
  requireVersion(wanted, import.meta.url)
  const { createTransport } = await import(/* webpackIgnore: true */ 'nodemailer').catch(notLoaded(wanted))
  if (!URL.canParse(options.url) || !/^smtps?:$/.test(new URL(options.url).protocol))
    throw new ConfigError({
      place,
      problem: 'the URL is not smtp:// or smtps://',
    })
  const url = new URL(options.url)
  const isImplicit = url.protocol === 'smtps:'
  const transport = createTransport({
    host: url.hostname,
    port: Number(url.port === '' ? (isImplicit ? 465 : 587) : url.port),
    secure: isImplicit,
    requireTLS: options.tls !== 'off',
    ignoreTLS: options.tls === 'off',
    connectionTimeout: 10_000,
    socketTimeout: 20_000,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(url.username !== '' && {
      auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    }),
  })
  return {
    send: async mail => {
      const { to, subject, text } = checkedMail(mail)
      await transport.sendMail({ from: options.from, to: { name: '', address: to }, subject, text })
    },
  }
}
