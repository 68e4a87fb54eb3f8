import type { Draws } from './draws.ts'

/** Markup of rich editors and of mail, and pictures as SVG; documents in XML. */
export function addEditors({ out, post }: Draws): void {
  // editors, mail, svg
  const HTML = [
    '<p>See:</p><iframe width="560" height="315" src="https://www.youtube.com/embed/abc" title="x" frameborder="0" allow="accelerometer; autoplay" allowfullscreen></iframe>',
    '<iframe src="https://player.vimeo.com/video/1" width="640"></iframe>',
    '<iframe src="https://open.spotify.com/embed/track/x"></iframe>',
    '<iframe src="https://www.google.com/maps/embed?pb=!1m18" style="border:0"></iframe>',
    '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body><p>Hi</p></body></html>',
    '<p>Use <pre><code>&lt;script&gt;alert(1)&lt;/script&gt;</code></pre></p>',
    '<pre><code>if (a &amp;&amp; b) { exec(&quot;ls&quot;) }</code></pre>',
    '<p style="color:red;background:url(x.png)">a</p>',
    '<a href="https://x.example/?a=1&amp;b=2" target="_blank" rel="noopener">x</a>',
    '<img src="data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=" alt="x">',
    '<img src="cid:image001.png@01D">',
    '<table border="0" cellpadding="0"><tr><td bgcolor="#fff">x</td></tr></table>',
    '<!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><![endif]--><p>x</p>',
    '<style>.a{color:red}@media screen{.b{x:y}}</style><p class="a">x</p>',
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0"/></svg>',
    '<blockquote>a</blockquote><ul><li>b</li></ul>',
    '<figure><video controls src="/v.mp4"></video></figure>',
    '<p>1 &lt; 2 &amp;&amp; 3 &gt; 2</p>',
    '<div data-id="5" class="mention">@ann</div>',
    '<p><em>it\'s</em> <strong>"ok"</strong></p>',
    '<input type="checkbox" checked disabled> task',
    '<details><summary>x</summary>y</details>',
    '<audio controls><source src="a.mp3"></audio>',
    '<h1 id="x">A</h1><hr><br>',
    '<p>&lt;img src=x onerror=alert(1)&gt;</p>'.replace('onerror=alert(1)', 'alt=a'),
  ]
  for (const h of HTML) {
    post('editor', '/posts', { title: 'x', content: h })
    post('editor', '/posts', { title: 'x', content: `<p>Intro</p>${h}<p>Outro</p>` })
    out.push({
      kind: 'editor',
      method: 'POST',
      path: '/posts',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `title=x&content=${encodeURIComponent(h)}`,
    })
  }
  post('editor', '/x', {
    content: 'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=',
  })
  // xml
  for (const x of [
    '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist version="1.0"><dict><key>a</key><string>b</string></dict></plist>',
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd"><html><body>x</body></html>',
    '<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap:Body><a>O\'Brien &amp; Sons</a></soap:Body></soap:Envelope>',
    '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_a" AssertionConsumerServiceURL="https://x.example/acs"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://x</saml:Issuer></samlp:AuthnRequest>',
    '<!DOCTYPE note [ <!ELEMENT note (to)> ]><note><to>x</to></note>',
    '<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>',
    '<rss version="2.0"><channel><title>A & B</title><item><description><![CDATA[<p>Hi</p>]]></description></item></channel></rss>',
    '<project xmlns="http://maven.apache.org/POM/4.0.0" xsi:schemaLocation="http://maven.apache.org/POM/4.0.0 http://maven.apache.org/xsd/maven-4.0.0.xsd"><a/></project>',
    '<svg xmlns="http://www.w3.org/2000/svg"><style>.a{fill:red}</style><path class="a" d="M0 0"/></svg>',
  ]) {
    out.push({
      kind: 'xml',
      method: 'POST',
      path: '/x',
      headers: { 'content-type': 'application/xml' },
      body: x,
    })
    out.push({
      kind: 'xml',
      method: 'POST',
      path: '/x',
      headers: { 'content-type': 'text/xml' },
      body: x.replace(/></g, '>\n<'),
    })
    out.push({
      kind: 'saml',
      method: 'POST',
      path: '/acs',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `SAMLResponse=${encodeURIComponent(Buffer.from(x).toString('base64'))}`,
    })
  }
}
