import type { Draws } from './draws.ts'

/** Uploads, and what browsers ask for. */
export function addUploads({ out, get }: Draws): void {
  // uploads
  const up = (name: string, type: string, content: string | Buffer) =>
    out.push({
      kind: 'upload',
      method: 'POST',
      path: '/upload',
      headers: { 'content-type': 'multipart/form-data; boundary=XX' },
      body: Buffer.concat([
        Buffer.from(
          `--XX\r\nContent-Disposition: form-data; name="title"\r\n\r\nMy file\r\n--XX\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`,
        ),
        Buffer.from(content as string),
        Buffer.from('\r\n--XX--\r\n'),
      ]),
    })
  for (const [n, t] of [
    ['shop-hours.zip', 'application/zip'],
    ['site.tar', 'application/x-tar'],
    ['course.txt', 'text/plain'],
    ['tutorial.md', 'text/markdown'],
    ['notes.pdf', 'application/pdf'],
    ['dump.sql', 'application/sql'],
    ['run.sh.txt', 'text/plain'],
    ['log.log', 'text/plain'],
  ] as const) {
    up(n, t, 'PK\x03\x04 Every page starts with <?php echo 1; ?> and <script>x</script>\nSELECT 1;')
    up(n, t, '#!/bin/sh\nls')
    out.push({
      kind: 'upload',
      method: 'PUT',
      path: `/files/${n}`,
      headers: { 'content-type': t },
      body: 'Every page starts with <?php ...',
    })
  }
  for (const v of [
    '/count.php?x=1',
    '/../x'.slice(3),
    '/index.php?page=2',
    '/a/b.jsp;jsessionid=ABC',
    '/api/v1/users/o%27brien',
    '/search?q=rock+%26+roll',
    '/search?q=c%2B%2B+or+java',
    '/tags/c%23',
    '/items?ids=1,2,3&sort=-price',
    '/x?utm_source=a&utm_campaign=50%25+off',
    '/x?callback=jQuery123_456&_=1',
    '/maps?ll=53.3,-6.2&z=12',
    '/i?src=https%3A%2F%2Fimg.example%2Fa.png%3Fw%3D1',
    '/go?url=https%3A%2F%2Fexample.com%2Fcount.php%3F',
    '/x?from=2020-01-01T00:00:00%2B01:00',
    '/d?file=report%20(final).pdf',
    '/d?path=a/b/c.txt',
    '/w?q=how+to+select+from+a+menu',
    '/s?q=who+am+i',
    '/s?q=what%27s+up',
    '/s?q=%22exact+phrase%22',
    '/s?q=id',
    '/s?q=order+by+phone',
    '/s?q=tom+%26+jerry',
    '/s?q=a%20%3C%20b',
    '/s?title=Union%20Select%20Committee',
    '/x?color=%23fff&size=10%22',
    '/x?name=D%27Arcy',
    '/x?json={"a":1,"b":["x"]}',
    '/x?data=%5B1%2C2%5D',
    '/x?return=/account?tab=1',
    '/x?state=eyJhIjoxfQ',
    '/x?expr=a%3E5',
    '/x?time=12:30;13:30',
    '/x?range=1-5',
    '/x?tz=Europe/Dublin',
    '/x?v=1.2.3-rc.1+build',
    '/x?lang=en-GB,en;q=0.9',
  ])
    get('browse', v, {
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
      referer: 'https://shop.example/a?b=c%27d',
      cookie: 'theme=dark; _ga=GA1.2.123.456; prefs={"a":"b"}; consent=a:1|b:2',
    })
}
