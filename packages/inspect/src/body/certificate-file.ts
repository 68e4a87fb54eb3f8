/** A name that says certificate, and that servers of old run as a script. */
const CERTIFICATE = /^(?!.*\.(?:php\d?|phtml|phar|pht|jspx?|aspx?)\.)[\w .()-]{1,120}\.cer$/i
const LONGEST = 16_384
/** RFC 7468, section 5. */
const AS_TEXT = /^-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----\s*$/
/** What such a server runs, or includes. */
const SCRIPT = /<[%?!]|<script/i

/**
 * Whether a file called a certificate is one, as text or in DER, where a sequence fills the file to its last
 * byte (ITU-T X.690, 8.1.3); and holds no script.
 */
export function isCertificate(name: string, content: Buffer): boolean {
  if (!CERTIFICATE.test(name) || content.length < 4 || content.length > LONGEST) return false
  const text = content.toString('latin1')
  if (SCRIPT.test(text)) return false
  return AS_TEXT.test(text) || (text.startsWith('0\x82') && content.readUInt16BE(2) + 4 === content.length)
}
