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

  /**
   * What a line records; `nothing` for a blank line or a directive (`#Fields: ...`), undefined for a line
   * that is not from an access log. Never throws.
   * @param line without its line end; a trailing carriage return and a byte order mark are ignored
   */
  read(line: string): LogRecord | 'nothing' | undefined {
    const whole = line.charCodeAt(0) === BYTE_ORDER_MARK ? line.slice(1) : line
    const text = whole.endsWith('\r') ? whole.slice(0, -1) : whole
    if (text === '' || this.#fields.declare(text)) return 'nothing'
    return parseAccessLog(text) ?? this.#fields.parse(text)
  }
}
