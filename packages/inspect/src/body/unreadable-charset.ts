/**
 * `charset=` in a content type, also as an extended parameter (RFC 2231 section 4), or `encoding=` in the
 * declaration of an XML document.
 */
const NAMED = /(?:charset|encoding)\*?\s{0,16}=\s{0,16}["']?(?:[\w.-]{0,20}'[\w-]{0,20}')?([\w.:+-]{1,40})/gi

/**
 * Charsets in which text is written with other bytes than those of ASCII and that are not decoded here:
 * UTF-7, the stateful ones (RFC 1468, RFC 1843), escapes that Python takes for a charset, EBCDIC. Without
 * hyphens and the like, in lower case.
 */
const OTHER =
  /^(?:cs)?(?:unicode11utf7|utf7|utf32|ucs[24]|utfebcdic|xutf16|xutf32|iso2022|hz|rawunicodeescape|unicodeescape|punycode|idna|undefined$|scsu|bocu|ebcdic|x?(?:ibm|cp)(?=\d))/
/** Code pages of IBM and Microsoft in which ASCII is ASCII (IBM CCSID registry). */
const ASCII_PAGES = new Set(
  (
    '437 720 737 775 806 850 851 852 853 855 856 857 858 859 860 861 862 863 864 865 866 867 868 869 874 ' +
    '895 896 897 901 902 903 904 907 912 913 914 915 916 919 920 921 922 923 932 936 942 943 949 950 951 954 ' +
    '970 1006 1008 1098 1116 1117 1118 1119 1124 1125 1127 1129 1131 1133 1161 1162 1163 1250 1251 1252 ' +
    '1253 1254 1255 1256 1257 1258 1361 1363 1381 1383 1386 65001'
  ).split(' '),
)

/**
 * The first charset in these labels that a backend may decode a text from and that cannot be read here, or
 * undefined. UTF-16 is read, and so is what no library knows, as the ASCII that backends take it for.
 * @param labels the value of a `Content-Type`, the line of a part, or the start of an XML document
 */
export function unreadableCharset(labels: string): string | undefined {
  if (!labels.includes('=')) return undefined
  for (const [, named = ''] of labels.matchAll(NAMED)) {
    const name = named.toLowerCase().replace(/[^a-z\d]/g, '')
    if (OTHER.test(name) && !ASCII_PAGES.has(name.replace(/^(?:cs)?x?(?:ibm|cp)0{0,2}/, ''))) return named
  }
  return undefined
}
