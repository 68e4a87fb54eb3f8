// Between commas that stand neither in an address nor in a quoted value (RFC 8288 section 3).
const MEMBER = /(?:<[^<>]*>|"(?:[^"\\]|\\.){0,1024}"|[^,<"])+/g

// What `response.writeEarlyHints()` of Node takes; one other link, and it sends none at all.
const SENDABLE = /^<[^<>]*>(?:\s*;\s*[^;="\s]+(?:=(")?[^;"\s]*\1)?)*$/

/**
 * The links of a 103 that can be passed on over HTTP/1.1, each by itself: a backend may send several
 * in one `Link`, as Node does.
 *
 * @param headers - names and values in turns, as received
 */
export function hintedLinks(headers: readonly string[]): string[] {
  const links: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() !== 'link') continue
    for (const [member] of (headers[i + 1] as string).matchAll(MEMBER))
      if (SENDABLE.test(member.trim())) links.push(member.trim())
  }
  return links
}
