import { parseAccessLog } from './access-log.ts'
import type { LogRecord } from './log-record.ts'
import { W3cFields } from './w3c-fields.ts'

const BYTE_ORDER_MARK = 0xfeff

/**
 * Reads the lines of one access log, in order: everything that `parseAccessLog` reads, and the W3C Extended
 * Log File Format of IIS and CloudFront, whose columns are named in a separate line.
 */
export class AccessLogReader {
  readonly #fields = new W3cFields()
  /** The host of the whole URLs that a log is written in; false when it is not. */
  #own: string | false | undefined = undefined

  /**
   * What a line records; `nothing` for a blank line or a directive (`#Fields: ...`), undefined for a line
   * that is not from an access log. Never throws.
   * @param line without its line end; a trailing carriage return and a byte order mark are ignored
   */
  read(line: string): LogRecord | 'nothing' | undefined {
    const whole = line.charCodeAt(0) === BYTE_ORDER_MARK ? line.slice(1) : line
    const text = whole.endsWith('\r') ? whole.slice(0, -1) : whole
    if (text === '' || this.#fields.declare(text)) return 'nothing'
    const record = parseAccessLog(text) ?? this.#fields.parse(text)
    return record === undefined ? undefined : this.#relative(record)
  }

  /**
   * Varnish writes whole URLs: where the first line of a log has one, those of the same host are its own. In
   * any other log a whole URL is what a client sent, and tried to reach through the server.
   */
  #relative(record: LogRecord): LogRecord {
    if (this.#own === false) return record
    const absolute = /^https?:\/\/([^/?#]{1,255})(.*)$/i.exec(record.target)
    const host = absolute?.[1]?.toLowerCase()
    this.#own ??= host ?? false
    if (absolute === null || host !== this.#own) return record
    const target = absolute[2] ?? ''
    return {
      ...record,
      host: record.host ?? (host as string),
      target: target.startsWith('/') ? target : `/${target}`,
    }
  }
}
