import {
  FOREIGN_STYLESHEET,
  FOREIGN_TYPE,
  findFetchingProlog,
  findForeignType,
  findStylesheet,
  findTransform,
  OPENING_ELEMENT,
} from '../lex/xml-fetch.ts'
import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'
import { declaring } from './declaring.ts'

/** What else has a parser of XML, or what transforms or draws a document, fetch something. */
export const fetchingXmlRules: readonly Rule[] = [
  declaring('xxe/any-entity', /<!\s{0,512}entity(?=[\s%])/, {
    score: 6,
    quotable: true,
    chars: CHAR.less,
    words: WORD.entity,
    attacks: ['<!ENTITY \u4e2d\u6587 SYSTEM "a">', `<!ENTITY\n%\n${'n'.repeat(60)} "x">`],
    benign: ['<!ENTITY-LIKE>', 'an <!entities> of'],
  }),
  {
    id: 'xxe/foreign-type',
    family: 'xxe',
    score: 6,
    quotable: true,
    chars: CHAR.less,
    words: WORD.entity,
    needs: [FOREIGN_TYPE],
    find: ({ lower }) => findForeignType(lower),
    attacks: [
      '<!DOCTYPE foo SYSTEM "http://x/y.dtd">',
      '<!DOCTYPE r SYSTEM "jar:http://x.example!/y.dtd">',
      '<!DOCTYPE r SYSTEM "http://www.w3.org.x.example/y.dtd">',
      '<!DOCTYPE r SYSTEM "http://www.w3.org:x@y.example/y.dtd">',
      '<!DOCTYPE r PUBLIC "-//W3C//DTD XHTML 1.0//EN" "netdoc:/etc">',
    ],
    benign: [
      '<!DOCTYPE r SYSTEM "r.dtd">',
      '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">',
      '<!DOCTYPE html SYSTEM "about:legacy-compat">',
    ],
  },
  // A document that is the whole value, however long: whoever parses it fetches what it names.
  {
    id: 'xxe/prolog',
    family: 'xxe',
    score: 5,
    quotable: false,
    chars: CHAR.less,
    words: WORD.entity,
    atStart: true,
    needs: [/<!doctype\s/],
    find: ({ lower, fromStart }) => (fromStart ? findFetchingProlog(lower) : undefined),
    attacks: [
      '<?xml version="1.0"?><!-- a --><!DOCTYPE r [<!ENTITY % p SYSTEM "http://x.example/"> %p;]><r/>',
      '<!DOCTYPE r SYSTEM "http://x.example/y.dtd"><r/>',
    ],
    benign: [
      '<!DOCTYPE html><p>a</p>',
      '<?xml version="1.0"?><!DOCTYPE r SYSTEM "r.dtd"><r/>',
      '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig/>',
    ],
  },
  pattern('xxe/opening-element', OPENING_ELEMENT, {
    score: 5,
    quotable: true,
    chars: CHAR.less,
    attacks: [
      `<include xmlns="http://www.w3.org/2001/XInclude" a="${'b'.repeat(200)}" href="x"/>`,
      '<svg:use x:href="file:///etc/passwd"/>',
    ],
    benign: [
      '<include name="a"/>',
      '<use href="#a"/>',
      '<script src="https://a.example/b.js">',
      '<import location="http://a.example/b.wsdl"/>',
    ],
  }),
  {
    id: 'xxe/stylesheet-link',
    family: 'xxe',
    score: 5,
    quotable: true,
    chars: CHAR.less,
    words: WORD.entity,
    needs: [FOREIGN_STYLESHEET],
    find: ({ lower, place, name, fromStart }) =>
      findStylesheet(lower, place === 'body' && name === '' && fromStart),
    attacks: [
      `<?xml-stylesheet title="${'a'.repeat(90)}" href="http://x.example/"?>`,
      '<?xml-stylesheet type="text/xsl" href="//x.example/a.xsl"?><rss/>',
    ],
    benign: ['<?xml-stylesheet type="text/xsl" href="/feed.xsl"?>'],
  },
  {
    id: 'xxe/transform',
    family: 'xxe',
    score: 5,
    quotable: true,
    chars: CHAR.less,
    words: WORD.entity,
    needs: [/\/1999\/xsl\/transform/],
    find: ({ lower }) => findTransform(lower, 'refused'),
    attacks: [
      '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform"><a b="{document(\'http://x.example/\')}"/>',
      '<t:transform xmlns:t="http://www.w3.org/1999/XSL/Transform"><t:import href="jar:file:///a!/b"/>',
      '<a xmlns:x="http://www.w3.org/1999/XSL/Transform" xmlns:o="http://www.oracle.com/XSL/Transform/java/java.lang.Runtime">',
    ],
    benign: [
      '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:value-of select="document/title"/>',
      '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:import href="http://docbook.sourceforge.net/release/xsl/current/html/docbook.xsl"/>',
    ],
  },
]
